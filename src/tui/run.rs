//! The event loop: signals first, then answers, then keys, then the engine's state, then the clock, then what can be done
//! in slices when nothing else waits.
//!
//! The order is deliberate. A signal must not wait behind a flood of keys, a key must not wait behind a flood of states,
//! and the clock can always wait. States are taken at most twenty times a second (the latest wins); an idle screen is
//! drawn once a second, and of that only the cells that changed are sent.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{Signal as Listener, SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep_until};

use crate::clock::Clock;
use crate::engine::command::Handle;
use crate::engine::state::RunState;
use crate::tui::events::Events;
use crate::tui::model::Model;
use crate::tui::msg::{Cmd, Exit, Msg, Signal, Zone};
use crate::tui::perform::Performer;
use crate::tui::rows::StageView;
use crate::tui::terminal::{self, Guard};
use crate::tui::{TuiError, input, notify, update};

/// Between two states taken in.
const STATE_EVERY: Duration = Duration::from_millis(50);
/// Between two draws of an idle screen.
const TICK: Duration = Duration::from_secs(1);
/// Events taken in before the next draw, so that a flood of keys cannot hold up the screen.
const EVENTS_PER_FRAME: usize = 64;
/// How long an end by signal waits for what is in flight.
const QUIT_WITHIN: Duration = Duration::from_secs(90);

struct Signals {
    hangup: Listener,
    terminate: Listener,
    interrupt: Listener,
    woken: Listener,
}

enum Heard {
    End(Signal),
    Woken,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        let woken = SignalKind::from_raw(rustix::process::Signal::CONT.as_raw());
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            woken: signal(woken)?,
        })
    }

    async fn next(&mut self) -> Heard {
        tokio::select! {
            _ = self.hangup.recv() => Heard::End(Signal::Hangup),
            _ = self.terminate.recv() => Heard::End(Signal::Terminate),
            _ = self.interrupt.recv() => Heard::End(Signal::Interrupt),
            _ = self.woken.recv() => Heard::Woken,
        }
    }
}

/// What the loop waits for.
struct Sources {
    signals: Signals,
    answers: mpsc::Receiver<Msg>,
    events: Events,
    state: watch::Receiver<Arc<RunState>>,
    state_due: Instant,
    engine_gone: bool,
    tick: Interval,
}

enum Next {
    Msgs(Vec<Msg>),
    Woken,
    TerminalGone,
}

impl Sources {
    /// `idle_work`: there is something to do when nothing happens.
    async fn next(&mut self, idle_work: bool) -> Next {
        tokio::select! {
            biased;
            heard = self.signals.next() => match heard {
                Heard::End(signal) => Next::Msgs(vec![Msg::Signal(signal)]),
                Heard::Woken => Next::Woken,
            },
            Some(answer) = self.answers.recv() => Next::Msgs(vec![answer]),
            event = self.events.next() => self.events(event),
            changed = changed(&mut self.state, self.state_due), if !self.engine_gone => {
                self.state_due = Instant::now() + STATE_EVERY;
                self.engine_gone = changed.is_err();
                let msg = if self.engine_gone { Msg::EngineGone } else { Msg::State(self.state.borrow_and_update().clone()) };
                Next::Msgs(vec![msg])
            }
            _ = self.tick.tick() => Next::Msgs(Vec::new()),
            // Yields once, so that everything above is asked before.
            () = tokio::task::yield_now(), if idle_work => Next::Msgs(vec![Msg::Look]),
        }
    }

    /// One event and those that are there already.
    fn events(&mut self, first: Option<io::Result<crossterm::event::Event>>) -> Next {
        let mut msgs = Vec::new();
        let mut next = first;
        loop {
            match next {
                Some(Ok(event)) => msgs.extend(input::msg(event)),
                Some(Err(_)) | None if msgs.is_empty() => return Next::TerminalGone,
                Some(Err(_)) | None => return Next::Msgs(msgs),
            }
            if msgs.len() >= EVENTS_PER_FRAME {
                return Next::Msgs(msgs);
            }
            match self.events.waiting() {
                Some(event) => next = Some(event),
                None => return Next::Msgs(msgs),
            }
        }
    }
}

async fn changed(
    state: &mut watch::Receiver<Arc<RunState>>,
    due: Instant,
) -> Result<(), watch::error::RecvError> {
    sleep_until(due).await;
    state.changed().await
}

/// The loop with everything it owns.
pub struct Loop {
    model: Model,
    guard: Guard,
    performer: Performer,
    sources: Sources,
    handle: Handle,
    clock: Option<Clock>,
    begun: Instant,
    tmux: bool,
    save_in: Option<PathBuf>,
}

impl Loop {
    /// Takes the terminal and gets ready.
    pub fn new(
        handle: Handle,
        model: Model,
        clock: Option<Clock>,
        save_in: Option<PathBuf>,
    ) -> Result<Self, TuiError> {
        let signals = Signals::listen().map_err(TuiError::Signals)?;
        let guard = Guard::take().map_err(TuiError::Terminal)?;
        let (performer, answers) = Performer::new(handle.clone());
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut state = handle.watch();
        state.mark_changed();
        let sources = Sources {
            signals,
            answers,
            events: Events::listen().map_err(TuiError::Terminal)?,
            state,
            state_due: Instant::now(),
            engine_gone: false,
            tick,
        };
        let tmux = std::env::var_os("TMUX").is_some();
        Ok(Self {
            model,
            guard,
            performer,
            sources,
            handle,
            clock,
            begun: Instant::now(),
            tmux,
            save_in,
        })
    }

    /// Runs until the screen ends.
    pub async fn run(mut self) -> Result<Exit, TuiError> {
        let (width, height) = self.guard.size().map_err(TuiError::Terminal)?;
        let mut exit = self.take_in(vec![Msg::Resize(width, height), Msg::State(self.handle.state())]);
        loop {
            if terminal::broke() {
                return Ok(Exit::Broke);
            }
            if let Some(exit) = exit {
                return Ok(exit);
            }
            if self.guard.draw(&self.model).is_err() {
                return Ok(self.end_without_terminal().await);
            }
            let looking = self.model.view().is_some_and(StageView::is_looking);
            exit = match self.sources.next(looking).await {
                Next::Msgs(msgs) => self.take_in(msgs),
                Next::Woken => {
                    let retaken = self.guard.retake();
                    if retaken.is_err() {
                        return Ok(self.end_without_terminal().await);
                    }
                    None
                }
                Next::TerminalGone => return Ok(self.end_without_terminal().await),
            };
        }
    }

    fn take_in(&mut self, msgs: Vec<Msg>) -> Option<Exit> {
        let time = self.time();
        let mut exit = None;
        for msg in std::iter::once(time).chain(msgs) {
            if matches!(msg, Msg::Resize(..)) {
                self.guard.repaint();
            }
            for cmd in update::update(&mut self.model, msg) {
                exit = exit.or(self.perform(cmd));
            }
        }
        exit
    }

    fn time(&self) -> Msg {
        let tick = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let now = self
            .clock
            .as_ref()
            .map_or_else(|| self.handle.state().now, Clock::now);
        let local = now.datetime().with_timezone(&chrono::Local);
        let zone = Some(Zone {
            east_s: chrono::Offset::fix(local.offset()).local_minus_utc(),
        });
        Msg::Time { tick, now, zone }
    }

    fn perform(&mut self, cmd: Cmd) -> Option<Exit> {
        let sent = match cmd {
            Cmd::Ask(command) => {
                self.performer.ask(command);
                Ok(())
            }
            Cmd::Save(saved) => {
                self.performer.save(self.save_in.clone(), *saved);
                Ok(())
            }
            Cmd::Copy(text) => self.guard.send(&notify::copy_bytes(&text, self.tmux)),
            Cmd::Title(title) => self.guard.send(&notify::title_bytes(&title)),
            Cmd::Ring(text) => self.guard.send(&notify::ring_bytes(&text, self.tmux)),
            Cmd::Suspend => self.guard.suspend(),
            Cmd::Exit(exit) => return Some(exit),
        };
        // A terminal that is gone shows at the next draw, which ends the screen in good order.
        if let Err(error) = sent {
            self.model.say(
                crate::domain::panel::Tone::Attention,
                format!("the terminal refused: {error}"),
            );
        }
        None
    }

    /// The connection went away: no drawing any more; what is in flight finishes, then the run can be resumed.
    async fn end_without_terminal(self) -> Exit {
        terminal::restore();
        let quit = self.handle.ask(crate::engine::command::Command::Quit);
        let _ = tokio::time::timeout(QUIT_WITHIN, quit).await;
        Exit::Signal(Signal::Hangup)
    }
}
