//! Hub tests.

mod sockets;
