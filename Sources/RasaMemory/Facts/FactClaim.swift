package import RasaCore

/// One time that somebody stated a fact, and when it is true by its own words.
package struct FactClaim: Sendable, Hashable {
  /// The same for the same fact.
  package var form: [UInt8]
  package var run: String
  /// When it was learnt.
  package var time: Timestamp
  package var validFrom: Timestamp?
  /// When it ends by its own words.
  package var until: Timestamp?
  /// Whether it says that another fact is true no more.
  package var isDenial: Bool
  /// The sort key among claims about the same thing. A claim about the present sorts by when it was learnt, so that the
  /// latest one wins whatever day it names. A plan or a claim about the past sorts by its own dates.
  package var place: Timestamp

  package init(
    form: [UInt8], run: String, time: Timestamp, validFrom: Timestamp?, until: Timestamp?,
    isDenial: Bool = false, place: Timestamp? = nil
  ) {
    self.form = form
    self.run = run
    self.time = time
    self.validFrom = validFrom
    self.until = until
    self.isDenial = isDenial
    self.place =
      place
      ?? until.flatMap { $0 <= time ? validFrom ?? $0 : nil }
      ?? max(time, validFrom ?? time)
  }

  /// Whether it was over when it was learnt.
  package var isHistory: Bool { until.map { $0 <= time } ?? false }

  /// Since when it is true: from the day that it names, otherwise from when it was learnt.
  package var begin: Timestamp { validFrom ?? time }

  /// Until when it is known to be true, as far as it is said here.
  var knownUntil: Timestamp { until.flatMap { isHistory ? $0 : nil } ?? place.next }

  package func comes(before other: FactClaim) -> Bool {
    if place != other.place { return place < other.place }
    if time != other.time { return time < other.time }
    if form != other.form { return form.lexicographicallyPrecedes(other.form) }
    return run.utf8.lexicographicallyPrecedes(other.run.utf8)
  }

  /// Whether both were stated by the same run at the same time about the same.
  package func isSame(as other: FactClaim) -> Bool {
    place == other.place && time == other.time && form == other.form && run == other.run
  }

  /// Which one counts of two that are the same but for their dates: not the one that came first.
  package func isPreferred(to other: FactClaim) -> Bool {
    func key(_ claim: FactClaim) -> (Int64, Int64, Int64) {
      (
        claim.begin.milliseconds, claim.validFrom == nil ? 1 : 0,
        claim.until?.milliseconds ?? .max
      )
    }
    return key(self) < key(other)
  }

  /// Whether the next claim says that the same has been true all the time, if nothing between them says otherwise.
  package func isContinued(by next: FactClaim) -> Bool {
    form == next.form && until.map { $0 >= next.begin } ?? true
  }
}

extension Timestamp {
  fileprivate var next: Timestamp {
    Timestamp(milliseconds: milliseconds == .max ? .max : milliseconds + 1)
  }
}
