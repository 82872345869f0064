//! `clarion serve`: the daemon.

use super::{Context, Outcome, output};
use crate::app::{App, Role};
use crate::config::Config;
use crate::mail::TransportSettings;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// How to serve.
#[derive(Default, clap::Args)]
pub(super) struct ServeArguments {
    /// What this daemon does; on PostgreSQL several may share the work.
    #[arg(long, value_enum, default_value_t)]
    role: Role,
}

pub(super) async fn run(arguments: ServeArguments, context: Context) -> anyhow::Result<Outcome> {
    // Listened for before anything begins, so that nothing is ever cut off by a stop.
    let signals = Signals::new()?;
    let welcome = Welcome::of(&context.config);
    let app = App::build(context.config, context.clock, arguments.role).await?;
    welcome.print(&app);
    let shutdown = CancellationToken::new();
    tokio::spawn(signals.stop(shutdown.clone()));
    app.run(shutdown).await?;
    Ok(Outcome::Done)
}

/// What tells the daemon to stop.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> anyhow::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// The first SIGTERM or Ctrl-C lets the step in progress finish; a second ends at once.
    async fn stop(mut self, shutdown: CancellationToken) {
        for first in [true, false] {
            tokio::select! {
                _ = self.terminate.recv() => {}
                _ = self.interrupt.recv() => {}
            }
            if first {
                tracing::info!("stopping: what is in progress is finished first");
                shutdown.cancel();
            }
        }
        std::process::exit(130)
    }
}

/// What somebody who has just started Clarion wants to know.
struct Welcome {
    base: String,
    content: String,
    mail: String,
}

impl Welcome {
    fn of(config: &Config) -> Self {
        Self {
            base: config.site.link(""),
            content: config.content.dir.display().to_string(),
            mail: match &config.mail.transport {
                TransportSettings::File { dir } => format!("files in {}: nothing leaves this machine", dir.display()),
                TransportSettings::Smtp(relay) => format!("to the relay {}:{}", relay.host, relay.port),
                TransportSettings::Relays(relays) => {
                    let names: Vec<String> = relays.iter().map(|relay| format!("{}:{}", relay.host, relay.port)).collect();
                    format!("to the first of these relays that takes it: {}", names.join(", "))
                }
            },
        }
    }

    fn print(&self, app: &App) {
        let Self { base, content, mail } = self;
        let Some(address) = app.address() else {
            output::line(format!("Clarion is at work.\n  Mail       {mail}"));
            return;
        };
        output::line(format!(
            "Clarion is listening on http://{address}

  Pages      {base}/
  Feeds      {base}/feed.xml  {base}/atom.xml  {base}/feed.json  (all of them: {base}/feeds)
  Subscribe  {base}/subscribe
  Articles   {content}
  Mail       {mail}

Try next: save an article in {content} and look at the feed; subscribe, and follow the link in the mail.
Stop with Ctrl-C."
        ));
    }
}
