def missing_text(code, lang):
    return code
