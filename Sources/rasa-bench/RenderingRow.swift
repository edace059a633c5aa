import Glibc
import RasaCore
import RasaTerminal

/// What laying an answer out on a terminal adds to each token, over handing the token on as it is; and
/// how long the first token of an answer is held.
extension Row {
  static let rendering = Row("Markdown and word wrap, added to a token") { _, row in
    let tokens = tokens(100_000)
    var rendered: [Double] = []
    var plain: [Double] = []
    var first: [Double] = []
    for _ in 0..<9 {
      rendered.append(try seconds(tokens, .full) / Double(tokens.count))
      plain.append(try seconds(tokens, .none) / Double(tokens.count))
      let start = processorTime()
      var text = MarkdownText(.full, columns: 80)
      let shown = text.take("Nvidia", columns: 80)
      first.append(processorTime() - start)
      guard !shown.isEmpty else { throw Failure(.run, "the first token was held back") }
    }
    let added = max(rendered.median - plain.median, 0) * 1e6
    return RowResult(
      name: row.name, measured: "\(added.short) µs; the first \((first.median * 1e6).short) µs",
      floor: "\((plain.median * 1e6).short) µs (the text as it is)",
      ratio: rendered.median / plain.median, target: "≤ 2 µs; first ≤ 1 ms",
      isMet: added <= 2 && first.median <= 0.001,
      notes: "headings, lists, emphasis, code, links and tables in 80 columns; "
        + "\(tokens.reduce(0) { $0 + $1.utf8.count } / tokens.count) bytes a token")
  }

  private static func seconds(
    _ tokens: [String], _ rendering: MarkdownText.Rendering
  ) throws -> Double {
    var text = MarkdownText(rendering, columns: 80)
    var count = 0
    let start = processorTime()
    for token in tokens { count += text.take(token, columns: 80).count }
    count += text.finish().count
    let end = processorTime()
    guard count > tokens.count else { throw Failure(.run, "text was lost") }
    return end - start
  }

  private static func tokens(_ count: Int) -> [String] {
    let answer = """
      ## A heading of some words

      A paragraph with **strong words**, some *emphasis*, `code` and a [link](https://example.com/a_b),
      which goes on over more than one line of eighty columns, as paragraphs of answers do.

      - An item of a list that is longer than the line and has to be wrapped below its own text
        - and a nested one
      1. Numbers, too

      | one | two |
      |-----|----:|
      | a   | 1   |

      ```swift
      let value = function(of: *pointer)
      ```

      """
    var pieces: [String] = []
    var rest = Substring(answer)
    while !rest.isEmpty {
      pieces.append(String(rest.prefix(5)))
      rest = rest.dropFirst(5)
    }
    return (0..<count).map { pieces[$0 % pieces.count] }
  }

  /// Seconds of this thread alone: other work on the machine does not count.
  private static func processorTime() -> Double {
    var time = timespec()
    unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
