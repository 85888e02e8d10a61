//! One test body for SQLite and for Postgres.

/// Makes a test of each function on each database.
macro_rules! on_both_databases {
    ($($name:ident),* $(,)?) => {
        mod on_sqlite {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    let mut gateway = harness::gateway::TestGateway::start().await;
                    super::$name(&mut gateway).await;
                    gateway.finish().await;
                }
            )*
        }

        mod on_postgres {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    match harness::gateway::TestGateway::on_postgres().await {
                        Some(mut gateway) => {
                            super::$name(&mut gateway).await;
                            gateway.finish().await;
                        }
                        None => eprintln!("skipped without Postgres: {}", stringify!($name)),
                    }
                }
            )*
        }
    };
}

pub(crate) use on_both_databases;
