import RasaCore
import RasaSystem
import RasaTestKit
import Testing

/// The example of a provider of market data, asked with curl.
@Suite("The market-data example") struct MarketDataTests {
  private static let script = """
    python3 "$1" --port 0 >address 2>log & server=$!
    trap 'kill $server' EXIT
    until [ -s address ]; do kill -0 $server || exit 1; done
    shift
    for path; do curl -s --max-time 20 -w '\n%{http_code}\n' "$(cat address)$path"; done
    """

  private func ask(_ paths: String...) async throws -> String {
    let scratch = ScratchDirectory()
    let run = try await ProgramRun.run(
      "/bin/sh",
      ["-euc", Self.script, "sh", Repository.path("Examples/market-data/server.py")] + paths,
      environment: Environment.ofProcess().variables, folder: scratch.path)
    #expect(run.exitCode == 0, "\(run.errorText)")
    return run.text
  }

  @Test("every page answers, says that it is made up, and answers the same again")
  func pages() async throws {
    let paths = [
      "/symbols?query=tech", "/quote?symbol=ALDR", "/history?symbol=brgt&days=250",
      "/fundamentals?symbol=CINT", "/news?symbol=BRGT&limit=2",
    ]
    var answers: [String] = []
    for path in paths {
      let answer = try await ask(path, path)
      #expect(answer.hasSuffix("\n200\n") && answer.contains("Made-up data"), "\(path)")
      let halves = answer.split(separator: "\n200\n", omittingEmptySubsequences: false)
      #expect(halves.count == 3 && halves[0] == halves[1], "\(path)")
      answers.append(answer)
    }
    #expect(answers[1].contains(#""price": 148.2,"#))
    #expect(answers[2].split(separator: #""date""#).count == 501)
  }

  @Test(
    "what cannot be answered says what could be",
    arguments: [
      ("/quote?symbol=NVDA", "known are ALDR", "404"), ("/quote", "`symbol` is missing", "400"),
      ("/history?symbol=ALDR&days=0", "from 1 to 250", "400"),
      ("/news?symbol=ALDR&limit=x", "from 1 to 50", "400"), ("/../etc/passwd", "known are", "404"),
    ])
  func problems(path: String, says: String, status: String) async throws {
    let answer = try await ask(path)
    #expect(answer.contains(says) && answer.hasSuffix("\n\(status)\n"), "\(answer)")
  }
}
