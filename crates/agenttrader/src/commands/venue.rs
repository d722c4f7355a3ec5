//! `agenttrader venue`: the simulator alone.

use crate::cli::{Plan, VenueArgs};
use crate::output::{Done, Exit, Failure, talk};
use crate::settings::Settings;
use agenttrader_agent::shutdown::Signals;
use agenttrader_floor::ports::{Service, bind};
use agenttrader_venue::{Scenario, Simulation, Source, VenueConfig, serve};

/// Serves a venue until a signal.
pub async fn run(settings: &Settings, arguments: &VenueArgs) -> Done {
    let mut signals = Signals::install().map_err(|error| Failure::of(Exit::Unavailable, &error))?;
    let speed = settings.speed.unwrap_or(1.0);
    let listener = bind(Service::Venue, settings.bind, settings.port_base)
        .await
        .map_err(|error| Failure::of(Exit::Unavailable, &error))?;
    let source = match settings.recording.as_deref() {
        Some(file) => {
            let (playback, _) =
                agenttrader_floor::market::playback(file).map_err(|error| Failure::of(Exit::CouldNot, &error))?;
            Source::Playback(playback)
        }
        None => {
            std::fs::create_dir_all(&settings.data_dir).map_err(|error| Failure::of(Exit::Unavailable, &error))?;
            Source::Simulated(Simulation {
                seed: settings.seed,
                date: settings.date,
                scenario: Scenario::default(),
                data_dir: Some(settings.data_dir.clone()),
                fresh: arguments.market.fresh,
            })
        }
    };
    let plan = match settings.plan {
        Plan::Basic => agenttrader_venue::Plan::Basic,
        // A recording holds what it holds: there is no plan to buy more with.
        Plan::Plus if matches!(source, Source::Playback(_)) => agenttrader_venue::Plan::Unlimited,
        Plan::Plus => agenttrader_venue::Plan::Paid,
    };
    let config = VenueConfig { speed, plan, rest_limit: settings.rest_limit, ..VenueConfig::new(source) };
    let venue = serve(listener, config).await.map_err(|error| Failure::of(Exit::Unavailable, &error))?;
    let url = format!("http://{}", venue.address());
    let seed = venue.seed().map(|seed| format!(", seed {seed}")).unwrap_or_default();
    talk(&format!("venue simulator  {url}  session {}{seed}, venue time {}", venue.session().date, venue.now()));
    talk(&format!("next: APCA_API_BASE_URL={url} APCA_API_DATA_URL={url} agenttrader floor"));
    talk("keys: any key id with the secret `local-only`");
    signals.next().await;
    venue.stop().await;
    Ok(Exit::Good)
}
