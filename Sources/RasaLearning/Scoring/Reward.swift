package import RasaCore

/// The points that a run earns and loses, term by term.
package struct Reward: Sendable, Hashable {
  /// What is known of a run.
  package struct Facts: Sendable, Hashable {
    package var isCompleted: Bool
    package var hasFailed: Bool
    /// From 0 to 1; nil when nobody has judged it.
    package var overall: Double?
    package var efficiency: Double?
    package var seconds: Double
    package var cost: Money
    /// From 1 to 5.
    package var stars: Int?
    /// The mean of the peers' scores, from 0 to 1.
    package var peers: Double?

    package init(
      isCompleted: Bool, hasFailed: Bool, overall: Double? = nil, efficiency: Double? = nil,
      seconds: Double, cost: Money, stars: Int? = nil, peers: Double? = nil
    ) {
      self.isCompleted = isCompleted
      self.hasFailed = hasFailed
      self.overall = overall
      self.efficiency = efficiency
      self.seconds = seconds
      self.cost = cost
      self.stars = stars
      self.peers = peers
    }
  }

  /// One summand.
  package struct Term: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable, CaseIterable {
      case completion, quality, speed, efficiency, satisfaction, peers
      case failure, cost, time, rating

      package var isPenalty: Bool {
        switch self {
        case .failure, .cost, .time, .rating: true
        default: false
        }
      }
    }
    package var kind: Kind
    /// Negative for a penalty.
    package var points: Double
    /// How it comes about, in plain words with the figures.
    package var reason: String
  }

  /// Empty where only the sum is known.
  package var terms: [Term]
  /// The sum, where it is stored without its terms.
  private var stored: Int?

  package init(terms: [Term]) { self.terms = terms }

  package init(storedPoints: Int) {
    terms = []
    stored = storedPoints
  }

  /// The whole points of all rewards less those of each penalty.
  package var points: Int {
    if let stored { return stored }
    let earned = terms.filter { !$0.kind.isPenalty }.reduce(0) { $0 + $1.points }
    let lost = terms.filter(\.kind.isPenalty).reduce(0) { $0 + $1.points }
    return Int(earned) + Int(lost)
  }
}

/// How many points each term is worth at most, and from where on penalties count.
package struct RewardWeights: Sendable, Hashable {
  package var completion = 10.0
  package var quality = 50.0
  package var speed = 20.0
  package var efficiency = 30.0
  package var satisfaction = 40.0
  package var peers = 25.0

  package var failure = 30.0
  /// Above this many dollars, a point for each cent.
  package var cost = Money(picoDollars: 500_000_000_000)
  /// Above this many seconds, a point for each ten.
  package var seconds = 120.0
  /// Below three stars, for each star.
  package var lowRating = 15.0

  package init() {}

  package func reward(for run: Reward.Facts) -> Reward {
    var terms: [Reward.Term] = []
    func add(_ kind: Reward.Term.Kind, _ points: Double, _ reason: String) {
      terms.append(Reward.Term(kind: kind, points: points, reason: reason))
    }
    if run.isCompleted {
      add(.completion, completion, "completed")
      if let overall = run.overall {
        add(.quality, overall * quality, "score \(overall.fixed(2)) × \(quality.fixed(0))")
      }
      let speedScore = run.seconds > 0 ? min(1, 10 / run.seconds) : 1
      add(
        .speed, speedScore * speed, "10 ÷ \(run.seconds.fixed(1)) s, at most 1, × \(speed.fixed(0))"
      )
      if let value = run.efficiency {
        add(
          .efficiency, value * efficiency, "efficiency \(value.fixed(2)) × \(efficiency.fixed(0))")
      }
    }
    if let stars = run.stars {
      add(
        .satisfaction, Double(stars) / 5 * satisfaction,
        "\(stars) of 5 stars × \(satisfaction.fixed(0))")
    }
    if let value = run.peers {
      add(.peers, value * peers, "peers' score \(value.fixed(2)) × \(peers.fixed(0))")
    }
    if run.hasFailed { add(.failure, -failure, "failed") }
    if run.cost > cost {
      // Whole points, as all penalties, and exact: in floating point 0.57 − 0.50 has six cents.
      let cents = (run.cost - cost).picoDollars / 10_000_000_000
      add(
        .cost, -Double(cents),
        "$\(run.cost.decimalText) is more than $\(cost.decimalText): a point for each cent")
    }
    if run.seconds > seconds {
      add(
        .time, -((run.seconds - seconds) / 10).rounded(.down),
        "\(run.seconds.fixed(0)) s is more than \(seconds.fixed(0)) s: a point for each ten")
    }
    if let stars = run.stars, stars < 3 {
      add(
        .rating, -Double(3 - stars) * lowRating,
        "\(3 - stars) below three stars × \(lowRating.fixed(0))")
    }
    return Reward(terms: terms)
  }
}
