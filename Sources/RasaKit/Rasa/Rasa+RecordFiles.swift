import RasaCore
import RasaDocuments
import RasaEngine

extension Rasa {
  /// Writes the records of how runs went, one JSON object a line, the last run first.
  ///
  /// - Parameters:
  ///   - agent: Only those of this persona or agent.
  ///   - write: Takes some lines at a time.
  /// - Returns: How many there are.
  @discardableResult
  public func exportRecords(
    of agent: String? = nil, write: (String) throws -> Void
  ) async throws(RasaError) -> Int {
    try await redacted {
      var count = 0
      var before: Int64?
      while true {
        let records = try await store.records(of: agent, before: before, limit: 500)
        guard let last = records.last else { return count }
        try write(records.map { $0.value.json(.compact) + "\n" }.joined())
        count += records.count
        before = last.number
      }
    }
  }

  /// Adds records that `exportRecords` wrote. Those of runs that have one are left alone, and nothing is added where a
  /// line is broken.
  ///
  /// - Parameters:
  ///   - bytes: The lines.
  ///   - file: What errors call the file.
  /// - Returns: How many are new, and how many were known.
  /// - Throws: A `RasaError` of code `configuration` that names the line.
  public func importRecords(
    _ bytes: [UInt8], file: String
  ) async throws(RasaError) -> (added: Int, known: Int) {
    try await redacted {
      let weights = try composition.weights()
      var records: [StoredPerformance] = []
      // Oldest first, as they came.
      for (index, line) in bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
        .enumerated()
      {
        if line.allSatisfy({ $0 <= 0x20 }) { continue }
        do throws(Failure) {
          records.append(
            try StoredPerformance(
              JSONParsing.value(of: String(decoding: line, as: UTF8.self)),
              weights: weights))
        } catch {
          var failure = Failure(
            .configuration, error.message,
            suggestion: "nothing was imported; mend the line or leave it out",
            at: SourceLocation(file: file, line: index + 1, column: 1))
          failure.details = error.details
          throw failure
        }
      }
      let added = try await store.importPerformance(records.reversed(), weights: weights)
      return (added, records.count - added)
    }
  }
}
