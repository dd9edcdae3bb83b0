def problem_texts(found, lang):
    return found.message, found.hint
