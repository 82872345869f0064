//! The real program in a folder of its own, spoken to over HTTP, its clock in a file.

use reqwest::RequestBuilder;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// What links in mails and pages begin with; the test goes to the address really taken.
const BASE: &str = "http://news.example.org";
/// Long enough for a slow machine under load, short enough to end.
const PATIENCE: Duration = Duration::from_mins(1);

const PETITION: &str = r#"
state = "ready"
title = { en = "Letters in autumn", ja = "秋の手紙" }
prepared_by = "office@example.org"
targets = ["cn-tokyo"]
[edition]
day = "2027-10-10"
time_zone = "Asia/Tokyo"
deadline = "2027-10-20T18:00"
[audience]
topics = ["petitions"]
fallback = ["en"]
[[step]]
name = "call"
text = "call"
at = "approval"
"#;

/// A running daemon.
pub struct Daemon {
    child: Child,
    folder: Arc<TempDir>,
    address: String,
    client: reqwest::Client,
}

/// The example configuration, with mail to a relay on this machine, any free port, and a database
/// of the file's own or a server's.
fn configuration(relay_port: u16, database: Option<&str>) -> String {
    let example = std::fs::read_to_string("config/clarion.toml").unwrap();
    let relay = format!("transport = {{ kind = \"smtp\", host = \"127.0.0.1\", port = {relay_port}, tls = \"none\" }}");
    example
        .replace("http://127.0.0.1:8080", BASE)
        .replace("listen = \"127.0.0.1:8080\"", "listen = \"127.0.0.1:0\"")
        .replace("transport = { kind = \"file\", dir = \"../var/mail\" }", &relay)
        .replace("sqlite:../var/clarion.db", database.unwrap_or("sqlite:../var/clarion.db"))
}

impl Daemon {
    /// Starts the program with an empty content folder and its clock at `clock`.
    pub async fn start(clock: &str, relay_port: u16) -> Self {
        Self::start_with(clock, relay_port, |_| {}).await
    }

    /// Starts the program so, with more in its environment or its log elsewhere.
    pub async fn start_with(clock: &str, relay_port: u16, prepare: impl FnOnce(&mut Command)) -> Self {
        Self::start_on(None, clock, relay_port, prepare).await
    }

    /// Starts the program so, on a database server if one is named.
    pub async fn start_on(database: Option<&str>, clock: &str, relay_port: u16, prepare: impl FnOnce(&mut Command)) -> Self {
        let folder = TempDir::new().unwrap();
        let root = folder.path();
        for name in ["config/petitions", "content", "var"] {
            std::fs::create_dir_all(root.join(name)).unwrap();
        }
        std::fs::write(root.join("config/clarion.toml"), configuration(relay_port, database)).unwrap();
        std::fs::copy("config/missions.toml", root.join("config/missions.toml")).unwrap();
        std::fs::write(root.join("clock"), clock).unwrap();
        let mut command = program(root);
        prepare(&mut command);
        Self::spawn(command, Arc::new(folder)).await
    }

    /// Starts another one in the same folder, which only a database server bears.
    pub async fn beside(&self) -> Self {
        Self::spawn(program(self.folder.path()), Arc::clone(&self.folder)).await
    }

    async fn spawn(mut command: Command, folder: Arc<TempDir>) -> Self {
        let mut child = command.spawn().unwrap();
        let address = listening(&mut child).await;
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { child, folder, address, client }
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.child.id().expect("it runs")
    }

    /// The folder with its configuration, content and database.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// SIGKILL: it gets no chance to put anything in order.
    pub async fn kill(&mut self) {
        self.child.kill().await.unwrap();
    }

    /// Starts the program again after it has ended.
    pub async fn restart(&mut self) {
        self.child = program(self.folder.path()).spawn().unwrap();
        self.address = listening(&mut self.child).await;
    }

    /// What a command answers beside the daemon, and its exit code.
    pub async fn ask(&self, arguments: &[&str]) -> (i32, String) {
        let output = program(self.folder.path()).args(arguments).output().await.unwrap();
        (output.status.code().unwrap_or(-1), String::from_utf8(output.stdout).unwrap())
    }

    /// Starts the program again through another, whose last argument it becomes.
    pub async fn restart_through(&mut self, wrapper: &[&str]) {
        let program = program(self.folder.path());
        let plain = program.as_std();
        let mut command = Command::new(wrapper[0]);
        command.args(&wrapper[1..]).arg(plain.get_program()).args(plain.get_args()).current_dir(self.folder.path());
        command.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?)))).stdout(Stdio::piped()).kill_on_drop(true);
        self.child = command.spawn().unwrap();
        self.address = listening(&mut self.child).await;
    }

    /// Any request, answered.
    pub async fn send(
        &self,
        method: reqwest::Method,
        link: &str,
        prepare: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> reqwest::Response {
        prepare(self.client.request(method, self.url(link))).send().await.unwrap()
    }

    /// Writes a file as editors do: complete, then renamed into place.
    pub fn write(&self, path: &str, text: &str) {
        write_whole(&self.folder.path().join(path), text);
    }

    /// Sets the daemon's clock.
    pub fn set_clock(&self, instant: &str) {
        self.write("clock", instant);
    }

    /// Lets every step look at least once.
    pub async fn settle(&self) {
        tokio::time::sleep(Duration::from_secs(7)).await;
    }

    fn url(&self, link: &str) -> String {
        format!("{}{}", self.address, link.strip_prefix(BASE).unwrap_or(link))
    }

    /// GETs a path or an absolute link to the site.
    pub async fn get(&self, link: &str) -> reqwest::Response {
        self.client.get(self.url(link)).send().await.unwrap()
    }

    /// POSTs a form.
    pub async fn post(&self, link: &str, form: &[(&str, &str)]) -> reqwest::Response {
        self.client.post(self.url(link)).form(form).send().await.unwrap()
    }

    /// Fills in the form of the subscribe page, in a language, and sends it.
    pub async fn subscribe(&self, language: &str, address: &str) {
        let path = if language == "en" { "/subscribe".to_owned() } else { format!("/{language}/subscribe") };
        let page = self.get(&path).await.text().await.unwrap();
        let token = page.split("name=\"form\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("the form has a token");
        // A form sent at once is a robot's; the daemon's clock stands still, so it is moved.
        self.set_clock("2027-09-18T12:00:30+09:00");
        let form = [("form", token), ("address", address), ("language", language), ("rhythm", "weekly")];
        let answer = self.post(&path, &form).await;
        assert!(answer.status().is_success(), "{}", answer.status());
    }

    /// Writes a petition of one step, ready, with a text in both languages.
    pub fn write_petition(&self) {
        let folder = "config/petitions/autumn";
        std::fs::create_dir_all(self.folder.path().join(folder)).unwrap();
        self.write(&format!("{folder}/call.en.md"), "# Write to the embassy\n\nPlease write to the embassy.\n");
        self.write(&format!("{folder}/call.ja.md"), "# 大使館に手紙を\n\n大使館に手紙を書いてください。\n");
        self.write(&format!("{folder}/letter.en.md"), "# To the Ambassador\n\nPlease protect those who fled.\n");
        self.write(&format!("{folder}/letter.ja.md"), "# 大使閣下\n\n逃れてきた人々を保護してください。\n");
        self.write(&format!("{folder}/petition.toml"), PETITION);
    }

    /// Waits until the answer at a path contains a text.
    pub async fn wait_for(&self, path: &str, text: &str) {
        let waited = tokio::time::timeout(PATIENCE, async {
            while !self.get(path).await.text().await.unwrap().contains(text) {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        });
        assert!(waited.await.is_ok(), "{path} never contained “{text}”");
    }

    /// SIGTERM, and the exit code.
    pub async fn terminate(&mut self) -> Option<i32> {
        let id = self.child.id().expect("it runs").to_string();
        Command::new("kill").args(["-TERM", &id]).status().await.unwrap();
        tokio::time::timeout(PATIENCE, self.child.wait()).await.expect("it stops").unwrap().code()
    }
}

fn program(root: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_clarion"));
    command
        .arg("--config")
        .arg("config/clarion.toml")
        .current_dir(root)
        .env("CLARION_CLOCK", format!("file:{}", root.join("clock").display()))
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    command
}

fn write_whole(path: &Path, text: &str) {
    let draft = path.with_file_name(".draft");
    std::fs::write(&draft, text).unwrap();
    std::fs::rename(draft, path).unwrap();
}

/// Reads the address from the first lines of standard output, then lets the rest flow.
async fn listening(child: &mut Child) -> String {
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let found = tokio::time::timeout(PATIENCE, async {
        while let Some(line) = lines.next_line().await.unwrap() {
            if let Some((_, address)) = line.split_once("listening on ") {
                return address.trim().to_owned();
            }
        }
        panic!("the program ended before it listened");
    });
    let address = found.await.expect("the program says where it listens");
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    address
}
