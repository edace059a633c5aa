#if RASA_FAULTS
  import Glibc
  import RasaCore
  import RasaSystem
  import RasaTestKit
  import Testing

  @Suite struct FaultPointTests {
    @Test(arguments: [
      ("settle.after:1", "settle.after", 1, SIGKILL), ("a:17", "a", 17, SIGKILL),
      ("call.sent:2:stop", "call.sent", 2, SIGSTOP),
    ])
    func aFaultIsAPointACountAndASignal(
      _ text: String, _ point: String, _ occurrence: Int, _ signal: Int32
    ) throws {
      let fault = try #require(FaultPlan.Fault(text))
      #expect(fault.point == point && fault.occurrence == occurrence && fault.signal == signal)
    }

    @Test(arguments: ["", "a", "a:", ":1", "a:0", "a:-1", "a:one", "a:1:", "a:1:kill", "a:1:stop:"])
    func anythingElseIsNone(_ text: String) { #expect(FaultPlan.Fault(text) == nil) }

    @Test func thereIsNoPlanWithoutSettings() {
      #expect(FaultPlan(Environment(["RASA_FAULT": ""])) == nil)
    }

    @Test func itStrikesOnceAndAtTheCountedTime() {
      let struck = Locked<[Int32]>([])
      let plan = FaultPlan(Environment(["RASA_FAULT": "b:2:stop"])) { signal in
        struck.withLock { $0.append(signal) }
      }
      for name in ["a", "b", "a"] { plan?.reach(name) }
      #expect(struck.withLock { $0 } == [])
      for name in ["b", "b", "a"] { plan?.reach(name) }
      #expect(struck.withLock { $0 } == [SIGSTOP])
    }

    @Test func threadsAreCountedTogetherAndEachLineIsComplete() async throws {
      let folder = ScratchDirectory()
      let struck = Locked(0)
      let plan = FaultPlan(
        Environment([
          "RASA_FAULT": "reserve.before:4000", "RASA_FAULT_TRACE": "\(folder.path)/trace",
        ])
      ) { _ in struck.withLock { $0 += 1 } }
      await withTaskGroup { group in
        for _ in 0..<8 {
          group.addTask {
            for _ in 0..<500 {
              plan?.reach("reserve.before")
              plan?.reach("settle.after")
            }
          }
        }
      }
      #expect(struck.withLock { $0 } == 1)
      let lines = try String(
        decoding: FileSystem.read("\(folder.path)/trace", limit: 1_000_000), as: UTF8.self
      ).split(separator: "\n")
      #expect(lines.count == 8000)
      #expect(lines.count { $0 == "reserve.before" } == 4000)
      #expect(lines.count { $0 == "settle.after" } == 4000)
    }

    @Test func theProcessDiesThere() async {
      await #expect(processExitsWith: .signal(SIGKILL)) {
        unsafe setenv("RASA_FAULT", "settle.before:2", 1)
        faultPoint("settle.before")
        faultPoint("settle.after")
        faultPoint("settle.before")
        leaveNow(0)
      }
    }

    @Test func aSettingThatMeansNothingIsRefused() async {
      await #expect(processExitsWith: .exitCode(2)) {
        unsafe setenv("RASA_FAULT", "settle.before", 1)
        faultPoint("settle.before")
        leaveNow(0)
      }
    }
  }
#endif
