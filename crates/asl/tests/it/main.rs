//! The engine from outside, one module for each thing that it promises.

mod definition;
mod engine;
mod expression;
mod history;
mod limits;
mod redrive;
mod retry;
mod runner;
mod substitute;
mod variables;
