//! A file through the rules: pieces are judged, by helpers if there are any, and taken in one after another in order.

use std::collections::VecDeque;
use std::io::Read;
use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use super::cell::Note;
use super::check::{Checker, Fault, Prints};
use super::columns::{Column, Header, ItemPlaces, NONE};
use super::partition::{Output, Partition};
use super::report::{self, Finding, Report};
use super::source::{End, Piece, Source};
use super::split::{Found, Shape, Spans, Splitter};
use super::twins::Twins;
use super::zones::Zones;
use super::{LintError, Progress, Rule, Rules, Summary};

/// A record that was judged by itself.
struct Judged {
    found: Found,
    prints: Prints,
    /// Its faults are those up to here, from where the record before it ends.
    faults: usize,
}

/// A piece and what was said of its records.
#[derive(Default)]
struct Work {
    text: Vec<u8>,
    judged: Vec<Judged>,
    faults: Vec<Fault>,
    spans: Spans,
}

/// Lints a file. See [`super::lint`].
pub(super) fn lint<R: Read>(
    input: R,
    rules: &Rules,
    out: Output<'_>,
    watch: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Report, LintError> {
    let mut source = Source::new(input);
    let first = First::read(&mut source)?;
    let checker = Checker::new(first.header, *rules);
    let mut taker = Taker::new(&checker, out);
    taker.begin(&first.before, &first.text, &first.ending, first.mark, first.lines)?;
    pump(&mut source, &checker, &mut taker, watch)?;
    taker.finish(source.bytes)
}

/// The header and what stands before it.
pub(super) struct First {
    before: Vec<u8>,
    text: Vec<u8>,
    ending: Vec<u8>,
    mark: bool,
    lines: u64,
    pub(super) header: Header,
}

const MARK: &[u8] = b"\xef\xbb\xbf";

impl First {
    pub(super) fn read<R: Read>(source: &mut Source<R>) -> Result<Self, LintError> {
        let (all, is_all) = source.peek()?;
        super::strange::refuse(all)?;
        let mark = all.starts_with(MARK);
        let from = if mark { MARK.len() } else { 0 };
        let begin = from
            + all[from..]
                .iter()
                .take_while(|b| matches!(b, b'\n' | b'\r'))
                .count();
        if begin == all.len() {
            return Err(LintError::Refused(
                "is empty; give the CSV file for the toolkit".to_owned(),
            ));
        }
        let mut spans = Spans::default();
        let found = Splitter::new(&all[begin..]).next(&mut spans);
        let whole = found
            .filter(|found| found.shape == Shape::Good)
            .map(|found| (found, begin + found.next));
        let Some((found, end)) = whole else {
            let why = "has a header, line 1, whose quotation marks do not match; write the names without any";
            return Err(LintError::Refused(why.to_owned()));
        };
        let header = Header::read(spans.cells(&all[begin..begin + found.end]).iter())?;
        if end == all.len() && !is_all {
            let why = "has no line end in its first 256 KiB; give the CSV file for the toolkit";
            return Err(LintError::Refused(why.to_owned()));
        }
        if end == all.len() {
            let why = "has a header and no rows; put at least one subscription into it";
            return Err(LintError::Refused(why.to_owned()));
        }
        let before = source.take(begin);
        let mut text = source.take(end - begin);
        let ending = text.split_off(super::split::without_end(&text).len());
        let feeds = before
            .iter()
            .chain(&text)
            .chain(&ending)
            .filter(|b| **b == b'\n')
            .count();
        Ok(Self {
            before,
            text,
            ending,
            mark,
            lines: feeds.max(1) as u64,
            header,
        })
    }
}

/// Pieces to whoever judges them, and back in order.
fn pump<R: Read>(
    source: &mut Source<R>,
    checker: &Checker,
    taker: &mut Taker<'_, '_>,
    watch: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<(), LintError> {
    if checker.rules.threads > 1 {
        return std::thread::scope(|scope| {
            let helpers: Vec<Helper> = (0..checker.rules.threads)
                .map(|_| {
                    let (to, from_us) = sync_channel::<Work>(AHEAD);
                    let (to_us, from) = sync_channel::<Work>(AHEAD);
                    scope.spawn(move || {
                        for mut work in from_us {
                            judge(checker, &mut work);
                            if to_us.send(work).is_err() {
                                break;
                            }
                        }
                    });
                    Helper { to, from }
                })
                .collect();
            shared(source, &helpers, taker, watch)
        });
    }
    let mut work = Work::default();
    while let Some(piece) = source.next(std::mem::take(&mut work.text))? {
        match piece {
            Piece::Records(text) => {
                work.text = text;
                judge(checker, &mut work);
                taker.records(&mut work)?;
            }
            Piece::Part { bytes, end } => taker.part(&bytes, end)?,
        }
        taker.progress(source.bytes, watch)?;
    }
    Ok(())
}

/// Pieces a helper may have before it, judged or not.
const AHEAD: usize = 2;

/// A thread that judges.
struct Helper {
    to: SyncSender<Work>,
    from: Receiver<Work>,
}

/// What is under way, in the order of the file.
enum Pending {
    At(usize),
    Part(Vec<u8>, Option<End>),
}

fn shared<R: Read>(
    source: &mut Source<R>,
    helpers: &[Helper],
    taker: &mut Taker<'_, '_>,
    watch: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<(), LintError> {
    let (mut pending, mut spare) = (VecDeque::new(), Vec::<Work>::new());
    let (mut turn, mut ended) = (0, false);
    let gone = || LintError::Read(std::io::Error::other("a thread of the linter ended"));
    loop {
        while !ended && pending.len() < helpers.len() * AHEAD {
            let mut work = spare.pop().unwrap_or_default();
            match source.next(std::mem::take(&mut work.text))? {
                Some(Piece::Records(text)) => {
                    work.text = text;
                    helpers[turn].to.send(work).map_err(|_| gone())?;
                    pending.push_back(Pending::At(turn));
                    turn = (turn + 1) % helpers.len();
                }
                Some(Piece::Part { bytes, end }) => pending.push_back(Pending::Part(bytes, end)),
                None => ended = true,
            }
        }
        match pending.pop_front() {
            Some(Pending::At(helper)) => {
                let mut work = helpers[helper].from.recv().map_err(|_| gone())?;
                taker.records(&mut work)?;
                spare.push(work);
            }
            Some(Pending::Part(bytes, end)) => taker.part(&bytes, end)?,
            None => return Ok(()),
        }
        taker.progress(source.bytes, watch)?;
    }
}

/// Whether there is nothing in a text that has to be looked for in its cells: plain letters, and line ends.
fn is_clean(text: &[u8]) -> bool {
    let odd = |b: &u8| u8::from(matches!(b, 0..=9 | 11 | 12 | 14..=31 | 128..));
    text.iter().fold(0, |found, b| found | odd(b)) == 0
}

/// Judges the records of a piece, each by itself.
fn judge(checker: &Checker, work: &mut Work) {
    work.judged.clear();
    work.faults.clear();
    let clean = is_clean(&work.text);
    let mut splitter = Splitter::new(&work.text);
    while let Some(found) = splitter.next(&mut work.spans) {
        let mut prints = Prints::default();
        if found.shape != Shape::Blank {
            let record = &work.text[found.start..found.end];
            let cells = work.spans.cells(record);
            prints = checker.record(&found, cells, record, clean, &mut work.faults);
        }
        work.judged.push(Judged {
            found,
            prints,
            faults: work.faults.len(),
        });
    }
}

/// Rows brought into the cache together.
const TOGETHER: usize = 64;

/// Takes judged records in: what depends on the rows above, the counts, and the two files.
struct Taker<'c, 'o> {
    checker: &'c Checker,
    partition: Partition<'o>,
    rows: Option<&'o mut dyn FnMut(&super::Row<'_>)>,
    report: Report,
    twins: Twins,
    zones: Zones,
    /// The line the next record begins on.
    line: u64,
    /// An overlong record is being passed on.
    in_part: bool,
    spans: Spans,
    first_start: Option<i64>,
}

impl<'c, 'o> Taker<'c, 'o> {
    fn new(checker: &'c Checker, out: Output<'o>) -> Self {
        Self {
            checker,
            partition: Partition::new(out.accepted, out.errors),
            rows: out.rows,
            report: Report::default(),
            twins: Twins::new(),
            zones: Zones::default(),
            line: 1,
            in_part: false,
            spans: Spans::default(),
            first_start: None,
        }
    }

    fn begin(
        &mut self,
        before: &[u8],
        header: &[u8],
        ending: &[u8],
        mark: bool,
        lines: u64,
    ) -> Result<(), LintError> {
        self.line += lines;
        self.partition.header(before, header, ending)?;
        if mark {
            self.of_file(Rule::ByteOrderMark, NONE, Note::Nothing);
        }
        let header = &self.checker.header;
        for (at, column) in (0_u16..).zip(&header.columns) {
            if *column == Column::Unknown {
                let meant = super::columns::meant(header.name(at));
                let note = meant.map_or(Note::Nothing, Note::Words);
                self.of_file(Rule::UnknownColumn, at, note);
            }
        }
        for items in [&header.items, &header.adhoc, &header.extra] {
            let there = |item: &ItemPlaces| item.all().into_iter().find(|at| *at != NONE);
            let gap = items.iter().position(|item| there(item).is_none());
            if let Some(after) = gap.and_then(|gap| items[gap..].iter().find_map(there)) {
                self.of_file(Rule::ColumnGap, after, Note::Nothing);
            }
        }
        if header.old_id != NONE && header.source == NONE {
            self.of_file(
                Rule::SourceNotNamed,
                NONE,
                Note::Words(super::columns::METADATA_SOURCE),
            );
        }
        Ok(())
    }

    /// A warning about the file.
    fn of_file(&mut self, rule: Rule, column: u16, note: Note) {
        let fault = Fault { rule, column, note };
        if self.report.count(rule, self.checker.rules.keep) {
            let finding = report::finding(&fault, &self.checker.header, b"", 0, 1);
            self.report.list(finding);
        }
    }

    fn progress(
        &self,
        bytes: u64,
        watch: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<(), LintError> {
        let progress = Progress {
            bytes,
            rows: self.report.rows,
            rejected: self.report.rejected,
        };
        match watch(progress) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(LintError::Cancelled),
        }
    }

    fn records(&mut self, work: &mut Work) -> Result<(), LintError> {
        let (mut faults, mut run) = (0, 0);
        for group in work.judged.chunks(TOGETHER) {
            self.twins.touch(group.iter().map(|judged| &judged.prints));
            for judged in group {
                let own = &work.faults[faults..judged.faults];
                faults = judged.faults;
                if !self.record(judged, own, &work.text)? {
                    self.partition.accepted(&work.text[run..judged.found.start])?;
                    run = judged.found.next;
                }
                self.line += u64::from(judged.found.lines);
            }
        }
        self.partition.accepted(&work.text[run..])?;
        Ok(())
    }

    /// Takes a record in; a rejected one is written. Whether it is accepted.
    fn record(&mut self, judged: &Judged, own: &[Fault], text: &[u8]) -> Result<bool, LintError> {
        let found = &judged.found;
        if found.shape == Shape::Blank {
            let fault = [Fault {
                rule: Rule::BlankLine,
                column: NONE,
                note: Note::Nothing,
            }];
            self.say(&fault, 0, b"");
            return Ok(true);
        }
        self.report.rows += 1;
        let prints = &judged.prints;
        let seen = self.twins.row(prints, self.line);
        self.zones.row(prints);
        if own.is_empty() && seen.old.is_none() && seen.terms.is_none() && self.rows.is_none() {
            self.accept(prints);
            return Ok(true);
        }
        let mut all = own.to_vec();
        let header = &self.checker.header;
        let mut twin = |rule, column, line: u32| {
            all.push(Fault {
                rule,
                column,
                note: Note::Line(u64::from(line)),
            });
        };
        if let Some(line) = seen.old {
            let record = self.cells(found, text);
            let has_old = !record.is_empty();
            twin(
                Rule::DuplicateOldId,
                if has_old {
                    header.old_id
                } else {
                    header.third_party_id
                },
                line,
            );
        } else if let Some(line) = seen.terms {
            twin(Rule::SameTerms, NONE, line);
        }
        let content = &text[found.start..found.end];
        let rejected = all.iter().any(|fault| fault.rule.rejects());
        let errors = self.findings(&all, found, text, rejected);
        if rejected {
            self.report.rejected += 1;
            self.partition.rejected_piece(content)?;
            if found.shape == Shape::Unclosed {
                self.partition.rejected_piece(&text[found.end..found.next])?;
            } else {
                self.partition
                    .rejected_end(&errors, &text[found.end..found.next])?;
            }
            return Ok(false);
        }
        self.accept(prints);
        self.stakes(&all);
        self.hand_over(found, text);
        Ok(true)
    }

    /// The cell with the old id, after cutting the record anew.
    fn cells(&mut self, found: &Found, text: &[u8]) -> Vec<u8> {
        let record = &text[found.start..found.next];
        Splitter::new(record).next(&mut self.spans);
        self.spans
            .cells(&text[found.start..found.end])
            .get(self.checker.header.old_id)
            .to_vec()
    }

    fn accept(&mut self, prints: &Prints) {
        self.report.accepted += 1;
        self.twins.customer(prints.customer);
        if prints.start != 0 && self.first_start.is_none_or(|first| prints.start < first) {
            self.first_start = Some(prints.start);
        }
    }

    /// Counts and lists faults. What the row's `processing_error` says, if it is rejected and that is written.
    fn findings(&mut self, all: &[Fault], found: &Found, text: &[u8], rejected: bool) -> String {
        let keep = self.checker.rules.keep;
        let wanted = rejected && self.partition.has_errors();
        let mut errors: Vec<Finding> = Vec::new();
        let mut cut = false;
        for fault in all {
            let list = self.report.count(fault.rule, keep);
            let in_cell = wanted && fault.rule.rejects();
            if !list && !in_cell {
                continue;
            }
            if !cut {
                Splitter::new(&text[found.start..found.next]).next(&mut self.spans);
                cut = true;
            }
            let cells = self.spans.cells(&text[found.start..found.end]);
            let cell = cells.get(fault.column);
            let finding = report::finding(fault, &self.checker.header, cell, self.report.rows, self.line);
            if list {
                self.report.list(finding.clone());
            }
            if in_cell {
                errors.push(finding);
            }
        }
        if errors.is_empty() {
            return String::new();
        }
        report::processing_error(errors.iter())
    }

    /// Faults that need no cell.
    fn say(&mut self, faults: &[Fault], row: u64, cell: &[u8]) -> String {
        let keep = self.checker.rules.keep;
        let mut errors = Vec::new();
        for fault in faults {
            let list = self.report.count(fault.rule, keep);
            let finding = report::finding(fault, &self.checker.header, cell, row, self.line);
            if list {
                self.report.list(finding.clone());
            }
            errors.push(finding);
        }
        report::processing_error(errors.iter())
    }

    fn stakes(&mut self, all: &[Fault]) {
        for fault in all {
            if let (Rule::FreeCycle, Note::Stake(minor, currency)) = (fault.rule, fault.note) {
                let money = crate::domain::money::Money::new(minor.saturating_neg(), currency);
                // A sum beyond 64 bits is no money; the rows are still counted.
                let _ = self.report.at_stake.add(money);
            }
        }
    }

    fn hand_over(&mut self, found: &Found, text: &[u8]) {
        if let Some(rows) = self.rows.as_mut() {
            Splitter::new(&text[found.start..found.next]).next(&mut self.spans);
            let cells = self.spans.cells(&text[found.start..found.end]);
            if let Some(row) = self.checker.understood(cells, self.report.rows, self.line) {
                rows(&row);
            }
        }
    }

    /// A part of a record that is too long to be judged.
    fn part(&mut self, bytes: &[u8], end: Option<End>) -> Result<(), LintError> {
        if !self.in_part {
            self.in_part = true;
            self.report.rows += 1;
            self.report.rejected += 1;
        }
        self.partition.rejected_piece(bytes)?;
        let Some(end) = end else {
            return Ok(());
        };
        self.in_part = false;
        let (rule, note) = if end.open {
            (Rule::UnclosedQuote, Note::Counts(u64::from(end.lines), 0))
        } else {
            (Rule::OverlongRow, Note::Nothing)
        };
        let fault = [Fault {
            rule,
            column: NONE,
            note,
        }];
        let why = self.say(&fault, self.report.rows, b"");
        if !end.open {
            self.partition.rejected_end(&why, &end.ending)?;
        }
        self.line += u64::from(end.lines);
        Ok(())
    }

    fn finish(mut self, bytes: u64) -> Result<Report, LintError> {
        for (column, note) in self.zones.suspicious(&self.checker.header) {
            self.of_file(Rule::WholeHourOffset, column, note);
        }
        self.partition.flush()?;
        self.report.bytes = bytes;
        self.report.summary = Summary {
            uploaded_at: self.checker.rules.now,
            subscriptions: self.report.accepted,
            customers: self.twins.customers(),
            first_go_live: self.first_start,
        };
        Ok(self.report)
    }
}

/// One record by itself, against a header: what every rule says that needs no other row.
pub(super) fn one(header: &[u8], record: &[u8], rules: &Rules) -> Result<Vec<Finding>, LintError> {
    let mut source = Source::new(header.chain(b"\n".as_slice()).chain(record));
    let first = First::read(&mut source)?;
    let checker = Checker::new(first.header, *rules);
    let mut work = Work {
        text: record.to_vec(),
        ..Work::default()
    };
    judge(&checker, &mut work);
    let mut findings = Vec::new();
    let mut splitter = Splitter::new(record);
    if let Some(found) = splitter.next(&mut work.spans) {
        let cells = work.spans.cells(&record[found.start..found.end]);
        let upto = work.judged.first().map_or(0, |judged| judged.faults);
        for fault in &work.faults[..upto] {
            findings.push(report::finding(
                fault,
                &checker.header,
                cells.get(fault.column),
                1,
                2,
            ));
        }
    }
    Ok(findings)
}
