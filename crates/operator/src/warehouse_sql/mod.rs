//! Loading what the log names into a warehouse: the statements for one version, which change nothing unless it is the next one.

mod postgres;
mod redshift;
mod script;
mod snowflake;

pub(crate) use postgres::{MAKE_STAGE, PostgresLoad, STAGED_AS, Version};
pub(crate) use redshift::RedshiftLoad;
pub(crate) use snowflake::SnowflakeLoad;
