//! The Gemini wire: `generateContent`, token counts, models and errors. Pure: bytes in, bytes and facts out.
