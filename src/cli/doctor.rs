//! `clarion doctor`: whether mail will arrive, and whether the machine is fit.

use super::{Context, Outcome, output};
use crate::doctor::{self, Finding, Level, Wish};
use std::net::{IpAddr, SocketAddr};

/// How to examine.
#[derive(clap::Args)]
pub(super) struct DoctorArguments {
    /// The DNS server to ask, instead of the machine's own
    #[arg(long, value_name = "HOST:PORT")]
    dns: Option<SocketAddr>,
    /// The address from which your relay sends to the world; may be named several times
    ///
    /// Whoever runs the relay knows it. Without it, SPF and PTR are looked at for the address
    /// at which the relay is spoken to, which may be another.
    #[arg(long, value_name = "ADDRESS")]
    sends_from: Vec<IpAddr>,
    /// Send although DMARC protects nobody; staff are told, and it is noted with the date
    #[arg(long)]
    accept_weak_dmarc: bool,
}

pub(super) async fn run(arguments: DoctorArguments, context: &Context) -> anyhow::Result<Outcome> {
    let DoctorArguments { dns, sends_from, accept_weak_dmarc } = arguments;
    let findings = doctor::examine(&context.config, &context.clock, &Wish { dns, sends_from, accept_weak_dmarc }).await?;
    let count = |level| findings.iter().filter(|finding| finding.level == level).count();
    let (failures, warnings) = (count(Level::Failure), count(Level::Warning));
    if context.json {
        output::json(&findings)?;
    } else {
        findings.iter().for_each(tell);
        output::line(match (failures, warnings) {
            (0, 0) => "\nAll is well.".to_owned(),
            (0, _) => format!("\nNothing fails; warnings: {warnings}."),
            _ => format!("\nFailures: {failures}; warnings: {warnings}. docs/mail.md tells how to mend each."),
        });
    }
    Ok(if failures == 0 { Outcome::Done } else { Outcome::ProblemFound })
}

fn tell(finding: &Finding) {
    output::line(format!("{:<8} {:<10} {}", finding.level.as_str(), finding.about, finding.message));
    if let Some(remedy) = &finding.remedy {
        output::line(format!("{:20}→ {remedy}", ""));
    }
}
