//! A private PostgreSQL cluster for one run of the tests, or the server that
//! `CLARION_TEST_POSTGRES` names. It listens on a socket in its own folder, and goes when the
//! tests end, however they end.

use sqlx::Executor as _;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::sync::OnceCell;

/// The address of the server's own database, if there is a server.
static SERVER: OnceCell<Option<Server>> = OnceCell::const_new();

struct Server {
    /// With `{}` where the name of a database goes.
    address: String,
    /// When this closes, the guard stops the cluster and removes it.
    _lifeline: Option<ChildStdin>,
}

/// A new, empty database; `None` where there is no PostgreSQL, which is said once by name.
pub async fn new_database() -> Option<String> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let server = SERVER.get_or_init(find_server).await.as_ref()?;
    let name = format!("clarion_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    let pool = connect(&server.address.replace("{}", "postgres")).await.expect("the PostgreSQL server answers");
    pool.execute(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.expect("a database can be made");
    pool.close().await;
    Some(server.address.replace("{}", &name))
}

async fn find_server() -> Option<Server> {
    sqlx::any::install_default_drivers();
    #[expect(clippy::disallowed_methods, reason = "how a run of the tests is told of a server")]
    if let Ok(address) = std::env::var("CLARION_TEST_POSTGRES") {
        assert!(address.contains("{}"), "CLARION_TEST_POSTGRES needs {{}} where the name of a database goes");
        return Some(Server { address, _lifeline: None });
    }
    let Some(programs) = find_programs() else {
        assert!(
            std::env::var_os("CLARION_TEST_REQUIRE_POSTGRES").is_none(),
            "PostgreSQL is required here, but its programs initdb and postgres are not installed"
        );
        eprintln!("NOT RUN on PostgreSQL, whose programs are not installed: every store test ran on SQLite only");
        return None;
    };
    Some(start_cluster(&programs).await)
}

/// The folder that holds `initdb` and `postgres`.
fn find_programs() -> Option<PathBuf> {
    let on_path = std::env::var_os("PATH").into_iter().flat_map(|path| std::env::split_paths(&path).collect::<Vec<_>>());
    let mut debian: Vec<PathBuf> =
        std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|entry| entry.path().join("bin")).collect();
    debian.sort();
    debian.into_iter().rev().chain(on_path).find(|folder| folder.join("initdb").exists() && folder.join("postgres").exists())
}

async fn start_cluster(programs: &Path) -> Server {
    let folder = tempfile::Builder::new().prefix("clarion-pg-").tempdir().expect("a temporary folder").keep();
    let user = unprivileged_user();
    if let Some((uid, gid)) = user {
        chown(&folder, Some(uid), Some(gid)).expect("root may give a folder away");
    }
    let run = |program: &mut Command| {
        program.current_dir(&folder);
        if let Some((uid, gid)) = user {
            program.uid(uid).gid(gid);
        }
    };
    let mut initdb = Command::new(programs.join("initdb"));
    initdb.args(["--no-sync", "-A", "trust", "-E", "UTF8", "--locale=C", "-U", "clarion", "-D", "data"]);
    run(&mut initdb);
    let made = initdb.output().expect("initdb runs");
    assert!(made.status.success(), "initdb failed: {}", String::from_utf8_lossy(&made.stderr));

    // The shell outlives the tests by a moment: at the end of its input it stops the cluster.
    let mut guard = Command::new("sh");
    guard
        .args(["-c", "\"$0\" \"$@\" < /dev/null > server.log 2>&1 & cat > /dev/null; kill -QUIT $!; wait $!; rm -rf \"$PWD\""])
        .arg(programs.join("postgres"))
        .args(["-D", "data", "-k"])
        .arg(&folder)
        .args(["-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=300"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    run(&mut guard);
    #[expect(clippy::zombie_processes, reason = "it outlives us")]
    let mut guard: Child = guard.spawn().expect("sh runs");
    let lifeline = guard.stdin.take();
    let address = format!("postgres://clarion@localhost/{{}}?host={}", folder.display());
    for _ in 0..300 {
        if let Ok(pool) = connect(&address.replace("{}", "postgres")).await {
            pool.close().await;
            return Server { address, _lifeline: lifeline };
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the private PostgreSQL cluster in {} did not start; see server.log there", folder.display());
}

async fn connect(address: &str) -> Result<sqlx::AnyPool, sqlx::Error> {
    sqlx::any::AnyPoolOptions::new().max_connections(1).acquire_timeout(Duration::from_secs(20)).connect(address).await
}

/// PostgreSQL refuses to run as root; a user without rights runs it there.
fn unprivileged_user() -> Option<(u32, u32)> {
    let me = Command::new("id").arg("-u").output().expect("id runs");
    if me.stdout.trim_ascii() != b"0" {
        return None;
    }
    let users = std::fs::read_to_string("/etc/passwd").expect("a list of users");
    let find = |name: &str| {
        let fields: Vec<&str> = users.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|fields| fields[0] == name)?;
        Some((fields[2].parse().ok()?, fields[3].parse().ok()?))
    };
    find("postgres").or_else(|| find("nobody"))
}
