"""Steps for images: decoding and sizes, masks, lines of text, vectors beside those of texts, and generated images."""
