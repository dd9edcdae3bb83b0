def error_texts(error, lang):
    return str(error), getattr(error, "hint", "")
