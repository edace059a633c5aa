extension RoutingTally {
  /// From the statistics that are kept.
  package init(_ sums: PerformanceSums) {
    runs = Int(clamping: sums.tried)
    succeeded = Int(clamping: min(sums[.succeeded], sums.tried))
    score = RunningMean(
      count: Int(clamping: sums[.scored]), total: Double(sums[.score]) / 10_000)
    cost = RunningMean(count: Int(clamping: sums[.priced]), total: Double(sums[.cost]) / 1e9)
    seconds = RunningMean(
      count: Int(clamping: sums[.runs]), total: Double(sums[.duration]) / 1000)
    firstToken = RunningMean(
      count: Int(clamping: sums[.streamed]), total: Double(sums[.firstToken]) / 1000)
  }
}
