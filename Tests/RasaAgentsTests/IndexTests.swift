import Glibc
import RasaAgents
import RasaCore
import RasaPersona
import RasaSystem
import RasaTestKit
import Testing

@Suite("Kept index of agents")
struct IndexTests {
  private func setting(_ count: Int = 12) throws -> (Setting, MadeUpAgents) {
    let setting = try Setting()
    let agents = MadeUpAgents(count: count, seed: 3)
    try agents.write(to: setting.path("project/agents"))
    return (setting, agents)
  }

  private func indexes(_ setting: Setting) throws -> [String] {
    try FileSystem.list(setting.path("state")).map { setting.path("state/\($0.name)") }
  }

  private func isSame(_ left: DiscoveredAgents, _ right: DiscoveredAgents) -> Bool {
    left.registry.agents == right.registry.agents && left.failures == right.failures
      && left.registry.entries.map(\.relevance) == right.registry.entries.map(\.relevance)
      && left.warnings == right.warnings && left.shadowed == right.shadowed
      && left.broken == right.broken
  }

  @Test("unchanged files are not read again, and give the same result")
  func unchanged() throws {
    let (setting, agents) = try setting()
    try setting.scratch.write("[agent\n", to: "home/agents/broken.toml")
    try setting.config("home/agents/lost.toml", id: "lost", prompt: nil)
    try setting.markdown("home/agents/mine.md", id: agents.id(0))
    let first = setting.discovery().discover()
    #expect(setting.read.take().count == 14)
    #expect(first.failures.count == 1 && first.warnings.count == 1 && first.shadowed.count == 1)
    let second = setting.discovery().discover()
    #expect(setting.read.take() == [])
    #expect(isSame(first, second))
    #expect(try indexes(setting).count == 1)
    let status = try #require(try indexes(setting).first.flatMap(FileSystem.status))
    #expect(status.kind == .file)
  }

  @Test("only changed files are read again")
  func changes() throws {
    let (setting, agents) = try setting()
    func discover() -> [String] {
      let found = setting.discovery().discover()
      let read = setting.read.take()
      #expect(isSame(found, setting.discover()))
      _ = setting.read.take()
      return read
    }
    _ = discover()
    try setting.markdown("project/agents/new.md", id: "new")
    #expect(discover() == ["new"])
    try setting.markdown("project/agents/new.md", id: "new", description: "Something else")
    #expect(discover() == ["new"])
    // A prompt is part of its agent.
    let first = agents.files(0)
    try setting.scratch.write("Anew.", to: "project/agents/\(first[1].path)")
    #expect(discover() == [agents.id(0)])
    try setting.remove("project/agents/\(first[1].path)")
    #expect(discover() == [agents.id(0)])
    try setting.remove("project/agents/new.md")
    #expect(discover() == [])
    #expect(discover() == [])
    // A prompt that no TOML file names any more is an agent of its own.
    let second = agents.files(1)
    try setting.remove("project/agents/\(second[0].path)")
    #expect(discover() == [agents.id(1)])
    // A new first root shifts all others; each set of roots has an index of its own.
    try setting.markdown("home/agents/mine.md", id: "mine")
    #expect(discover().count == 12 + 1)
    #expect(discover() == [])
  }

  @Test("a change that keeps size and time is detected by the kernel's change time")
  func sameSizeAndTime() throws {
    let setting = try Setting()
    try setting.markdown("project/agents/one.md", id: "one", description: "before")
    let path = setting.path("project/agents/one.md")
    _ = setting.discovery().discover()
    let stamp = try #require(FileSystem.status(of: path)?.stamp)
    let file = unsafe fopen(path, "r+")
    let text = "---\nname: one\ndescription: behind\n---\nDo.\n"
    unsafe fputs(text, file)
    unsafe fclose(file)
    let time = timespec(
      tv_sec: Int(stamp.modified / 1_000_000_000), tv_nsec: Int(stamp.modified % 1_000_000_000))
    let times = [time, time]
    #expect(unsafe utimensat(AT_FDCWD, path, times, 0) == 0)
    #expect(FileSystem.status(of: path)?.stamp.modified == stamp.modified)
    #expect(setting.discovery().discover().registry["one"]?.agent.description == "behind")
  }

  @Test("a file written a moment before is read again")
  func fresh() throws {
    let setting = try Setting()
    let path = setting.path("project/agents/one.md")
    try setting.markdown("project/agents/one.md", id: "one")
    let written = try #require(FileSystem.status(of: path)?.stamp.changed)
    func discover(_ after: Int64) -> [String] {
      var discovery = setting.discovery()
      discovery.clock = { written + after }
      _ = discovery.discover()
      return setting.read.take()
    }
    #expect(discover(0) == ["one"])
    #expect(discover(1_000_000) == ["one"])
    #expect(discover(3_000_000_000) == ["one"])
    #expect(discover(3_000_000_000) == [])
  }

  @Test("a damaged index is as none, wherever the damage is")
  func damage() throws {
    let (setting, _) = try setting(6)
    let whole = setting.discovery().discover()
    let path = try #require(try indexes(setting).first)
    let bytes = try FileSystem.read(path, limit: 1 << 20)
    var random = SeededNumbers(seed: 9)
    for round in 0..<120 {
      var damaged = bytes
      switch round % 4 {
      case 0: damaged = Array(bytes.prefix(random.upTo(bytes.count)))
      case 1: damaged[random.upTo(bytes.count)] ^= UInt8(1 << random.upTo(8))
      case 2: damaged.append(contentsOf: bytes.suffix(random.upTo(40) + 1))
      default:
        // With a correct checksum, so that the decoder itself has to detect the damage.
        for _ in 0..<(1 + random.upTo(3)) {
          damaged[16 + random.upTo(bytes.count - 16)] = UInt8(random.upTo(256))
        }
        let checksum = Checksum.of(damaged, from: 16)
        for place in 0..<8 {
          damaged[8 + place] = UInt8(truncatingIfNeeded: checksum >> (UInt64(place) * 8))
        }
      }
      try FileSystem.write(damaged, to: path, lasting: false)
      let found = setting.discovery().discover()
      if round % 4 != 3 { #expect(isSame(found, whole), "round \(round)") }
    }
  }

  @Test("one that was written for other notes or engines is not believed")
  func otherReading() throws {
    let (setting, _) = try setting(6)
    _ = setting.discovery().discover()
    _ = setting.read.take()
    var other = setting.discovery()
    other.noteName = "another"
    _ = other.discover()
    #expect(setting.read.take().count == 6)
    other.engines = { AgentLoader.builtInEngines.union(["mine"]) }
    _ = other.discover()
    #expect(setting.read.take().count == 6)
    _ = other.discover()
    #expect(setting.read.take().count == 0)
  }

  @Test("where none can be written everything works as well")
  func unwritable() throws {
    let (setting, _) = try setting(3)
    try setting.scratch.write("in the way", to: "state")
    for _ in 0..<2 {
      let found = setting.discovery().discover()
      #expect(found.registry.count == 3 && found.warnings.isEmpty && found.failures.isEmpty)
      #expect(setting.read.take().count == 3)
    }
  }

  @Test("concurrent writers leave a complete index")
  func writers() async throws {
    let (setting, agents) = try setting(9)
    await withTaskGroup(of: Void.self) { group in
      for writer in 0..<4 {
        group.addTask {
          for round in 0..<10 {
            let name = "project/agents/\(agents.files(2)[0].path)"
            try? setting.markdown(name, id: agents.id(2), description: "\(writer) \(round)")
            #expect(setting.discovery().discover().registry.count >= 8)
          }
        }
      }
    }
    _ = setting.discovery().discover()
    _ = setting.read.take()
    #expect(setting.discovery().discover().registry.count == 9)
    #expect(setting.read.take() == [])
    #expect(try indexes(setting).count == 1)
  }

  @Test("old ones make room")
  func housekeeping() throws {
    let setting = try Setting()
    for index in 0..<80 {
      var setting = setting
      setting.places.project = setting.path("p\(index)")
      try setting.markdown("p\(index)/agents/one.md", id: "one")
      _ = setting.discovery().discover()
    }
    #expect(try indexes(setting).count == 64)
  }
}
