package import RasaCore

/// Sets of weights, and the shares of the runs that are scored with them.
package struct WeightAssignment: Sendable {
  package let sets: [(weights: ScoringWeights, share: Double)]

  package init(_ sets: [(weights: ScoringWeights, share: Double)]) { self.sets = sets }

  /// The set for a run: by share, and always the same one for the same run. The rest has the standard one.
  package func weights(for run: Identifier) -> ScoringWeights {
    guard !sets.isEmpty else { return ScoringWeights() }
    // 48 bits of a digest are a number from 0 to 1 that has nothing to do with when a run began.
    let bits = Digest.sha256(run.text).prefix(12).utf8.reduce(UInt64(0)) { bits, digit in
      bits << 4 | UInt64(digit >= UInt8(ascii: "a") ? digit - UInt8(ascii: "a") + 10 : digit & 0xF)
    }
    var place = Double(bits) / Double(UInt64(1) << 48)
    for (weights, share) in sets {
      if place < share { return weights }
      place -= share
    }
    return ScoringWeights()
  }

  /// The set of that name. One that there is no more counts like the standard one.
  package subscript(name: String) -> ScoringWeights {
    sets.first { $0.weights.name == name }?.weights ?? ScoringWeights(name: name)
  }
}
