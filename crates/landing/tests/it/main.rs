//! What lands in a bucket: the real SDK against an S3 in this process that misbehaves on request.

#![expect(clippy::unwrap_used, reason = "a test may stop where it stands")]

mod bucket;
mod claims;
mod merges;
mod parts;
mod rewrites;
mod rows;
mod swaps;
