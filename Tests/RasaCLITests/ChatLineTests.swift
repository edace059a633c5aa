import Testing

@testable import RasaCLI

@Suite("lines of a chat") struct ChatLineTests {
  @Test(
    "a line that starts with a slash is a command, unless it is a path or escaped",
    arguments: [
      ("hello", ChatLine.question("hello")), ("//help", .question("/help")),
      (" /help", .question("/help")), ("/etc/hosts is what?", .question("/etc/hosts is what?")),
      ("/usr/bin", .question("/usr/bin")), ("what is /help", .question("what is /help")),
      ("/hlep", .unknown("hlep")), ("/", .unknown("")), ("/tmp is full", .unknown("tmp")),
      ("/attachment x.png", .unknown("attachment")),
    ])
  func reading(line: String, expected: ChatLine) { #expect(ChatLine(line) == expected) }

  @Test("every command is found by each of its names, whatever its case")
  func names() {
    for command in ChatCommand.all {
      for name in command.names {
        #expect(ChatLine("/\(name)") == .command(command, argument: ""))
        #expect(ChatLine("/\(name.uppercased()) a b ") == .command(command, argument: "a b"))
      }
      #expect(ChatCommand.help(columns: 80).contains("/\(command.names[0])"))
    }
  }

  @Test("a mistyped command gets a suggestion, and nothing is sent")
  func nearest() {
    #expect(ChatCommand.unknown("hlep").contains("did you mean /help?"))
    #expect(ChatCommand.unknown("quti").contains("did you mean /quit?"))
    #expect(ChatCommand.unknown("xyz").contains("nothing was sent"))
  }
}
