"""Steps for audio: files and features, graphs over windows, frames and streams, and what is heard in them."""
