import Glibc
import RasaCore
import RasaSystem
import Testing

@Suite struct `A process's identity` {
  private let here = ProcessIdentity.current

  @Test func `is one line that reads back`() {
    #expect(ProcessIdentity(here.text) == here)
    #expect(here.process == Int(getpid()))
    #expect(here.started > 0)
    #expect(!here.text.contains("\n"))
    for text in ["", "a b c", "host boot space pid 5", "host boot space 5 5 5"] {
      #expect(ProcessIdentity(text) == nil)
    }
  }

  @Test func `tells who has surely ended from who may live`() {
    func gone(_ change: (inout ProcessIdentity) -> Void) -> Bool {
      var other = here
      change(&other)
      return ProcessIdentity.isKnownGone(other.text)
    }
    #expect(!gone { _ in })
    #expect(gone { $0.started += 1 })
    #expect(gone { $0.process = 0x3FFF_FFFF })
    #expect(gone { $0.boot = "earlier" })
    #expect(!gone { $0.space = "elsewhere" })
    #expect(!gone { $0.host = "another" })
    #expect(!ProcessIdentity.isKnownGone("who knows"))
  }

  @Test func `knows that a process was killed before anybody has looked after it`() throws {
    var child: pid_t = 0
    let arguments = unsafe [strdup("sleep"), strdup("600"), nil]
    defer { for index in 0..<3 { unsafe free(arguments[index]) } }
    #expect(unsafe posix_spawnp(&child, "sleep", nil, nil, arguments, nil) == 0)
    let text = try identity(of: child).text
    #expect(!ProcessIdentity.isKnownGone(text))
    kill(child, SIGKILL)
    var information = unsafe siginfo_t()
    // Waits without reaping it.
    #expect(unsafe waitid(P_PID, id_t(child), &information, WEXITED | WNOWAIT) == 0)
    #expect(ProcessIdentity.isKnownGone(text))
    var status: Int32 = 0
    #expect(unsafe waitpid(child, &status, 0) == child)
    #expect(ProcessIdentity.isKnownGone(text))
  }

  private func identity(of process: pid_t) throws -> ProcessIdentity {
    let stat = String(
      decoding: try FileSystem.read("/proc/\(process)/stat", limit: 4096), as: UTF8.self)
    let fields = stat.split(separator: ")").last?.split(separator: " ") ?? []
    var other = here
    other.process = Int(process)
    other.started = Int(fields[19]) ?? 0
    return other
  }
}
