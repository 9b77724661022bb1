//! Answers and streams for clients of every dialect.
