//! The tests are in this folder's `*.rs` files beside it.
