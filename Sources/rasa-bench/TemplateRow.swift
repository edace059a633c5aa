import Glibc
import RasaCore
import RasaPersona

/// What a prompt's template costs, read and rendered, and whether ten times the placeholders take
/// ten times as long. The floor is copying a text of that size.
extension Row {
  static let template = Row("a template of 100 kB, 1,000 placeholders") { _, row in
    let source = text(placeholders: 1_000, every: 100)
    let values = (0..<1_000).map { Value.string("value \($0)") }
    var whole: [Double] = []
    var rendering: [Double] = []
    var floor: [Double] = []
    for _ in 0..<101 {
      var count = 0
      let start = processorTime()
      let template = try Template.compile(source, by: .agent)
      let compiled = processorTime()
      var next = values.makeIterator()
      count += template.render { _ in next.next() ?? .null }.utf8.count
      let end = processorTime()
      whole.append(end - start)
      rendering.append(end - compiled)
      let before = processorTime()
      count += String(decoding: Array(source.utf8), as: UTF8.self).utf8.count
      floor.append(processorTime() - before)
      guard count > source.utf8.count else { throw Failure(.run, "text was lost") }
    }
    let few = try perPlaceholder(100_000)
    let many = try perPlaceholder(1_000_000)
    let growth = many / few
    let time = whole.median * 1000
    return RowResult(
      name: row.name, measured: "\(time.short) ms; \((many * 1e9).short) ns each",
      floor: "\((floor.median * 1e6).short) µs (copying)", ratio: whole.median / floor.median,
      target: "≤ 1 ms; linear to 10⁶", isMet: time <= 1 && growth <= 1.5,
      notes: "\((rendering.median * 1e6).short) µs of it rendering, 1,000 different names; a "
        + "placeholder takes \(growth.short) × as long among 10⁶ as among 10⁵")
  }

  private static func text(placeholders: Int, every length: Int) -> String {
    var text = ""
    for number in 0..<placeholders {
      let placeholder = "{{name_\(number)}}"
      text +=
        placeholder + String(repeating: "x", count: length - placeholder.utf8.count - 1) + "\n"
    }
    return text
  }

  /// Seconds for each of so many placeholders of a few names, as the smallest of several tries.
  private static func perPlaceholder(_ count: Int) throws -> Double {
    let source = String(repeating: "{{one}} and {{two}} ", count: count / 2)
    var least = Double.infinity
    for _ in 0..<3 {
      let start = processorTime()
      let text = try Template.compile(source).render { $0 == "one" ? "1" : "2" }
      guard text.utf8.count == count * 4 else { throw Failure(.run, "text was lost") }
      least = min(least, (processorTime() - start) / Double(count))
    }
    return least
  }

  /// Seconds of this thread alone: other work on the machine does not count.
  private static func processorTime() -> Double {
    var time = timespec()
    unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
