//! The Anthropic wire: Messages, token counts, models and errors. Pure: bytes in, bytes and facts out.
