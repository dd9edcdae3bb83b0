"""How answers look: numbers and dates by language, tables, trees, progress, JSON."""
