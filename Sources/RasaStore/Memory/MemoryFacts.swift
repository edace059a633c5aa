import RasaCore
import RasaEngine
import RasaMemory
import RasaPersona

/// What the facts among the items follow from.
struct MemoryFacts {
  /// What only facts have and nobody is shown.
  struct State {
    var chain: ContentDigest
    var learnt: Timestamp
    var replacement: (item: Int64, time: Timestamp)?
  }

  struct Statement {
    let stored: StoredFact
    var claim: FactClaim
    var denies: DeniedFact?
    var item: Int64 = 0
    var trust: MemoryTrust

    init(_ stored: StoredFact) {
      self.stored = stored
      claim = stored.claim
      denies = stored.denies
      trust = stored.fact.trust
    }

    var fact: NewFact { stored.fact }
  }

  /// Something that ends what was stated before it, and the item that it is of.
  struct Limit {
    var limit: FactChain.Limit
    var chain: ContentDigest
    var item: Int64
  }

  var states: [Int64: State] = [:]
  /// In their order.
  var chains: [ContentDigest: [Statement]] = [:]
  /// Whether a statement has denied anything so far. Without one, no chain has to be searched for limits.
  var hasDenials = false
  /// A fact that holds again, as it was before it was corrected.
  var restored: MemoryItem?

  func runs(of item: Int64) -> Set<Identifier> {
    guard let chain = states[item]?.chain else { return [] }
    return Set(chains[chain, default: []].filter { $0.item == item }.map(\.fact.run))
  }

  /// What denies statements of the chain, and what they deny.
  func limits(of chain: ContentDigest) -> [Limit] {
    guard hasDenials else { return [] }
    var limits: [Limit] = []
    for (other, statements) in chains {
      for statement in statements {
        guard let denied = statement.denies, denied.chain == chain else { continue }
        limits.append(
          Limit(
            limit: FactChain.Limit(form: denied.form, claim: statement.claim), chain: other,
            item: statement.item))
      }
    }
    let denials = Set(
      chains[chain, default: []].compactMap { statement in
        statement.denies.map { [statement.claim.form, $0.chain, $0.form] }
      })
    for denial in denials {
      for statement in chains[denial[1], default: []] where statement.claim.form == denial[2] {
        limits.append(
          Limit(
            limit: FactChain.Limit(form: denial[0], claim: statement.claim), chain: denial[1],
            item: statement.item))
      }
    }
    return limits.sorted { one, other in
      let (first, second) = (one.limit.claim, other.limit.claim)
      if first.isSame(as: second) { return one.chain.lexicographicallyPrecedes(other.chain) }
      return first.comes(before: second)
    }
  }

  /// The chains that a chain's statements deny something of, and those that deny something of it.
  func related(to chain: ContentDigest) -> Set<ContentDigest> {
    guard hasDenials else { return [] }
    var related = Set(chains[chain, default: []].compactMap { $0.denies?.chain })
    for (other, statements) in chains
    where statements.contains(where: { $0.denies?.chain == chain }) { related.insert(other) }
    return related.subtracting([chain])
  }
}
