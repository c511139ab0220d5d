//! The client against a server that sends whatever bytes a test wants.

mod calls;
mod pages;
mod server;
