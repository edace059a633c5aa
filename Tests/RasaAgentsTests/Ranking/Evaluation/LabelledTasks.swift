import RasaCore
import RasaSystem
import RasaTestKit

/// Tasks with the agents that should be given them, from `Tests/Fixtures/tasks`: a line is the task, a
/// tab, the best agent, and after commas others that will do.
struct LabelledTasks {
  struct Task {
    var text: String
    var agents: [String]
  }
  var tasks: [Task] = []

  init(_ name: String) throws {
    let bytes = try FileSystem.read(
      Repository.path("Tests/Fixtures/tasks/\(name).tsv"), limit: 1_000_000)
    for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
      guard !line.hasPrefix("#"), let tab = line.lastIndex(of: "\t") else { continue }
      let agents = line[line.index(after: tab)...].split(separator: ",").map(String.init)
      tasks.append(Task(text: String(line[..<tab]), agents: agents))
    }
  }
}

/// How often the right agent was first, and how often among the first three.
struct Accuracy {
  var tasks = 0
  var first = 0
  var third = 0

  mutating func add(_ ranked: some Collection<String>, _ right: [String]) {
    tasks += 1
    if let best = ranked.first, right.contains(best) { first += 1 }
    if ranked.prefix(3).contains(where: right.contains) { third += 1 }
  }

  static func + (left: Accuracy, right: Accuracy) -> Accuracy {
    Accuracy(
      tasks: left.tasks + right.tasks, first: left.first + right.first,
      third: left.third + right.third)
  }
}

extension Accuracy: CustomStringConvertible {
  var description: String { "\(share(first)) \(share(third))" }

  private func share(_ count: Int) -> String {
    let permille = (1000 * count + tasks / 2) / max(1, tasks)
    let text = "\(permille / 10).\(permille % 10) %"
    return String(repeating: " ", count: max(0, 9 - text.count)) + text
  }
}
