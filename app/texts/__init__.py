"""What people read, in Italian and English, by the stable codes of the layers below."""
