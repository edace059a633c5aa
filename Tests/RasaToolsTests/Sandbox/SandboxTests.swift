import RasaCore
import RasaPersona
import RasaProcess
import RasaSystem
import RasaTestKit
import Testing

@testable import RasaTools

/// A user with a home of their own, and a launcher for them.
struct SandboxSetting {
  let home = ScratchDirectory()
  let warnings = Locked<[String]>([])
  var settings: SandboxSettings

  init() throws {
    try home.write("secret", to: ".ssh/id_ed25519")
    try home.write("model: x", to: ".config/rasa/config.yaml")
    try home.write("#!/bin/sh\necho skill\n", to: ".config/rasa/skills/s/run.sh")
    try home.write("data", to: "project/data.txt")
    let environment = Environment([
      "HOME": home.path, "PATH": "/usr/bin:/bin", "OPENAI_API_KEY": "sk-made-up",
    ])
    settings = SandboxSettings(
      environment, folders: try RasaFolders(environment), helper: RasaProgram.built("rasa"))
  }

  var launcher: SandboxLauncher {
    SandboxLauncher(settings) { [warnings] text in warnings.withLock { $0.append(text) } }
  }

  func start(
    _ arguments: [String], _ sandbox: ToolSandbox = ToolSandbox(), folder: String? = nil,
    environment: [String: String] = [:]
  ) async throws(Failure) -> ChildProcess {
    try await launcher.start(
      ChildCommand(arguments, environment: environment, folder: folder), in: sandbox)
  }

  /// What a script prints in the sandbox, standard error included.
  func output(
    of script: String, _ change: (inout ToolSandbox) -> Void = { _ in }, folder: String? = nil,
    environment: [String: String] = [:]
  ) async throws -> String {
    var sandbox = ToolSandbox()
    change(&sandbox)
    let child = try await start(
      ["/bin/sh", "-c", "exec 2>&1; \(script)"], sandbox, folder: folder, environment: environment)
    child.closeInput()
    var output: [UInt8] = []
    while let piece = try await child.read() { output += piece }
    _ = await child.wait()
    return String(decoding: output, as: UTF8.self) + child.errorTail
  }
}

@Suite("The sandbox of a program", .timeLimit(.minutes(2))) struct SandboxTests {
  private let setting: SandboxSetting
  private var home: String { setting.home.path }
  init() throws { setting = try SandboxSetting() }

  @Test("a program sees the system, an empty /tmp, and nothing of the user")
  func whatIsVisible() async throws {
    let output = try await setting.output(
      of: "ls /; ls -A /tmp | wc -l; ls \(home); ls /home /root /var/log /etc/ssh")
    let names = Set(output.split(separator: "\n").map(String.init))
    #expect(
      names.isSuperset(of: ["bin", "dev", "etc", "lib", "proc", "tmp", "usr", "0"]), "\(output)")
    #expect(names.isDisjoint(with: ["home", "root", "run", "boot", "sys"]), "\(output)")
    #expect(output.components("No such file") == 5, "\(output)")
  }

  @Test("a program gets the declared variables and the usual ones, and no descriptor")
  func cleanStart() async throws {
    let output = try await setting.output(
      of:
        "env | cut -d= -f1 | sort | tr '\\n' ' '; ls /proc/self/fd | wc -l; tr '\\0' ' ' </proc/1/cmdline",
      environment: ["QUOTE_TOKEN": "made-up-secret"])
    let first = output.split(separator: "\n").first ?? ""
    let names = Set(first.split(separator: " ").map(String.init))
    #expect(
      names.subtracting(["LC_ALL", "4"]) == [
        "HOME", "LANG", "PATH", "PWD", "QUOTE_TOKEN", "TMPDIR",
      ], "\(output)")
    #expect(first.hasSuffix("4"), "\(output)")
    #expect(!output.contains("made-up-secret"), "\(output)")
  }

  @Test("the network is not there, not even the machine's own services")
  func noNetwork() async throws {
    let listener = try SilentListener()
    let output = try await setting.output(
      of: "cat /proc/net/dev | grep -c :; exec 3<>/dev/tcp/127.0.0.1/\(listener.port)".inBash)
    #expect(output.hasPrefix("1\n") && output.contains("refused"), "\(output)")
  }

  @Test("nothing outside /tmp can be written, and what can be is limited")
  func fullDisk() async throws {
    var small = setting
    small.settings.temporarySize = 1 << 20
    let output = try await small.output(
      of: """
        for f in /x /dev/x /etc/x /usr/x /var/x /proc/sys/kernel/hostname; do echo no >$f || true; done
        head -c 3000000 /dev/zero >/tmp/full; head -c 3000000 /dev/zero >/dev/shm/full; ls -s /tmp/full
        """)
    #expect(
      output.components("Read-only file system") + output.components("ermission denied") >= 5,
      "\(output)")
    #expect(output.components("No space left") == 2, "\(output)")
  }

  @Test("it may do nothing that root may, and make no namespaces of its own")
  func noPrivileges() async throws {
    let output = try await setting.output(
      of:
        "grep -E 'CapEff|CapBnd|NoNewPrivs' /proc/self/status | tr -d '\\t'; unshare -Ur true; mount -t tmpfs x /tmp"
    )
    #expect(
      output.contains("CapEff:0000000000000000") && output.contains("NoNewPrivs:1"), "\(output)")
    #expect(output.contains("unshare failed") || output.contains("No space left"), "\(output)")
  }

  @Test("other processes are invisible")
  func noProcesses() async throws {
    let output = try await setting.output(
      of: "ls -d /proc/[0-9]* | wc -l; kill -0 \(ownProcess()) && echo seen")
    #expect(!output.contains("seen"))
    #expect((Int(output.prefix { $0.isNumber }) ?? 99) < 10, "\(output)")
  }

  @Test("paths that were declared are there, to read or to write")
  func declaredPaths() async throws {
    let output = try await setting.output(
      of:
        "cat ~/project/data.txt; cat \(home)/project/data.txt; echo new >\(home)/project/new; echo bad >\(home)/read/bad; cat \(home)/read/r"
    ) {
      $0.read = ["~/read"]
      $0.write = ["\(home)/project"]
      _ = try? setting.home.write("readable", to: "read/r")
    }
    #expect(output.contains("data") && output.contains("readable"), "\(output)")
    #expect(try setting.home.read("project/new") == "new\n")
    #expect(try setting.home.read("read/bad") == nil)
  }

  @Test("a path that may be missing is left out where it is, and shown where it is there")
  func optionalPaths() async throws {
    let setting = try SandboxSetting()
    var sandbox = ToolSandbox()
    sandbox.read = ["\(setting.home.path)/project/data.txt?", "~/.gitconfig?"]
    let paths = SandboxPaths(home: setting.home.path, protected: setting.settings.protected)
    #expect(
      try paths.mounts(read: sandbox.read, write: ["none?"], folder: setting.home.path)
        .map(\.source) == [FileSystem.realPath(setting.home.file("project/data.txt"))])
    // One that gives too much is refused, with the mark or without.
    #expect(throws: Failure.self) {
      try paths.mounts(read: ["~/.ssh?"], write: [], folder: nil)
    }
  }

  @Test("a program in a folder of its own starts there, and cannot change it")
  func ownFolder() async throws {
    try setting.home.write("#!/bin/sh\npwd; cat beside; echo x >y\n", to: "tool/run")
    try setting.home.write("beside", to: "tool/beside")
    try FileSystem.write(
      "#!/bin/sh\npwd; cat beside; echo x >y\n", to: setting.home.file("tool/run"), mode: 0o755)
    let child = try await setting.start(["./run"], folder: setting.home.file("tool"))
    var output = ""
    while let piece = try await child.read() { output += String(decoding: piece, as: UTF8.self) }
    #expect(output == "\(home)/tool\nbeside")
    #expect(await child.wait() != .exited(0))
    #expect(child.errorTail.contains("Read-only"))
  }

  @Test("a skill's script below the configuration runs, and sees no configuration")
  func skill() async throws {
    try FileSystem.write(
      "#!/bin/sh\necho skill; cat ../../config.yaml\n",
      to: setting.home.file(".config/rasa/skills/s/run.sh"), mode: 0o755)
    let child = try await setting.start(
      ["./run.sh"], folder: setting.home.file(".config/rasa/skills/s"))
    var output = ""
    while let piece = try await child.read() { output += String(decoding: piece, as: UTF8.self) }
    #expect(output == "skill\n")
    _ = await child.wait()
    #expect(child.errorTail.contains("No such file"), "\(child.errorTail)")
  }

  @Test("paths that would give too much are refused, also through links")
  func refusedPaths() async throws {
    try FileSystem.makeFolder(setting.home.file("innocent"))
    #expect(link(to: ".ssh", at: setting.home.file("innocent/keys")))
    #expect(link(to: "/", at: setting.home.file("innocent/all")))
    let read = [
      "/", "~", "~/.ssh", "~/.ssh/id_ed25519", "~/innocent/keys", "~/innocent/all",
      "~/innocent/../.ssh",
      "~/project/../../../../../../../..", "~/.config", "~/.config/rasa",
      "~/.config/rasa/config.yaml",
      "/etc",
      "/etc/shadow", "/proc", "/proc/self", "/sys", "/dev", "/run", "/tmp", "/home", "/var", "",
      "~/missing",
      "relative",
    ]
    let write = read + ["/usr/local", "/etc/ssl", "~/.bashrc", "/usr/bin", "~/.config/rasa/skills"]
    try setting.home.write("", to: ".bashrc")
    for (isWrite, paths) in [(false, read), (true, write)] {
      for path in paths {
        var sandbox = ToolSandbox()
        if isWrite { sandbox.write = [path] } else { sandbox.read = [path] }
        let failure = await #expect(throws: Failure.self, "\(path) \(isWrite)") {
          _ = try await setting.start(["/bin/true"], sandbox)
        }
        #expect(failure?.kind == .configuration, "\(path)")
      }
    }
    for path in ["~/.ssh", "~/.config/rasa", "/tmp"] {
      await #expect(throws: Failure.self) {
        _ = try await setting.start(["/bin/true"], folder: path.replacing("~", with: home))
      }
    }
  }

  @Test(
    "a program that is asked to end may do so in its own way; then everything it started is gone")
  func end() async throws {
    let child = try await setting.start(
      [
        "/bin/sh", "-c",
        "trap 'echo bye; exit 3' TERM; setsid sleep 1000 & echo ready; while :; do sleep 1000 & wait; done",
      ])
    #expect(try await child.read() == Array("ready\n".utf8))
    #expect(await child.end(grace: .seconds(60)) == .exited(3))
    #expect(try await child.read() == Array("bye\n".utf8))
    #expect(try await child.read() == nil)
  }

  @Test("what changed its group and ignores signals ends with the sandbox")
  func escapees() async throws {
    let child = try await setting.start(
      [
        "/bin/sh", "-c",
        "trap '' TERM; setsid sh -c 'trap \"\" TERM; sleep 1001' & echo ready; sleep 1002",
      ])
    #expect(try await child.read() == Array("ready\n".utf8))
    #expect(await child.end(grace: .milliseconds(50)).isSuccess == false)
    // Its standard output was held by everything in the sandbox.
    while try await child.read() != nil {}
  }

  @Test("a fork bomb is stopped", .enabled(if: !isRoot(), "root is not limited"))
  func forkBomb() async throws {
    var few = setting
    few.settings.processes = 32
    let output = try await few.output(
      of: "i=0; while [ $i -lt 64 ]; do sleep 5 & i=$((i+1)); done; echo all")
    #expect(output.contains("fork") && !output.contains("all"), "\(output)")
  }

  @Test("without bubblewrap nothing starts, and the error says how to get it")
  func missingBubblewrap() async throws {
    var command = ChildCommand(["/bin/true"])
    command.environment["PATH"] = "/usr/bin"
    var settings = setting.settings
    settings.bubblewrap = nil
    let launcher = SandboxLauncher(settings) { _ in }
    let failure = await #expect(throws: Failure.self) {
      _ = try await launcher.start(command, in: ToolSandbox())
    }
    #expect(failure?.suggestion.contains("apt install bubblewrap") == true)
  }

  @Test(
    "where the system forbids the sandbox, the program does not run, and the error says how to allow it",
    arguments: [
      (
        "setting up uid map: Permission denied", "kernel.unprivileged_userns_clone"
      ),
      (
        "No permissions to create new namespace, likely because the kernel does not allow non-privileged user namespaces.",
        "kernel.apparmor_restrict_unprivileged_userns"
      ),
      ("Creating new namespace failed: Operation not permitted", "seccomp=unconfined"),
      ("Unknown option --disable-userns", "0.8 or later"),
    ])
  func forbidden(_ words: String, _ suggestion: String) async throws {
    var other = setting
    other.settings.bubblewrap = setting.home.file("bwrap")
    try FileSystem.write(
      "#!/bin/sh\necho 'bwrap: \(words)' >&2\nexit 1\n", to: setting.home.file("bwrap"), mode: 0o755
    )
    try FileSystem.write(
      "#!/bin/sh\ntouch ran\n", to: setting.home.file("project/tool"), mode: 0o755)
    for network in [ToolSandbox.Network.none, .all, .hosts(["api.example.com"])] {
      var sandbox = ToolSandbox()
      sandbox.network = network
      sandbox.write = ["~/project"]
      let child = try await other.start(
        ["./tool"], sandbox, folder: setting.home.file("project"))
      // What bubblewrap never reads.
      try? await child.write(Array(repeating: 0x20, count: 1 << 20))
      child.closeInput()
      while try await child.read() != nil {}
      #expect(await child.wait() == .exited(1))
      let failure = try #require(SandboxLauncher.failure(of: child))
      #expect(failure.suggestion.contains(suggestion), "\(failure.description)")
      #expect(try setting.home.read("project/ran") == nil)
    }
  }

  @Test("what a program shares with the user outside is gone, however it asks for it")
  func escapes() async throws {
    // A terminal of its own, a socket without a file, the first process, and the kernel's own files.
    let abstract = try AbstractListener()
    let output = try await setting.output(
      of: #"""
        ls -A ~/../../root; ls -A \#(home)
        (exec 3<>/dev/tty) && echo terminal
        perl -e 'ioctl(STDIN, 0x5412, "x") && print "pushed\n"; ioctl(STDERR, 0x5412, "x") && print "pushed\n"'
        perl -MSocket -e 'socket(S, AF_UNIX, SOCK_STREAM, 0); print connect(S, pack("S", AF_UNIX) . "\0\#(abstract.name)") ? "abstract\n" : "no socket\n"'
        tr '\0' '\n' </proc/1/environ; ls /proc/1/root/ /proc/1/cwd/ | grep -x -e home -e root -e project
        find /proc -maxdepth 4 -path '/proc/[0-9]*' -prune -o -type f -writable -print 2>/dev/null | sed 's/^/writable /'
        [ -w /proc/1/oom_score_adj ] && echo writable score; cat /proc/self/oom_score_adj
        for f in /proc/kcore /dev/mem /dev/sda /dev/kmsg /sys/kernel/debug; do
          head -c 1 $f 2>/dev/null | grep -q . && echo "read $f"
        done
        perl -e 'print "host name\n" if syscall(170, "x", 1) == 0; print "root\n" if syscall(161, "/tmp") == 0'
        ls /dev | tr '\n' ' '
        """#)
    for word in [
      "terminal", "pushed", "abstract", "made-up", "writable", "read /", "host name", "root\n",
      "project",
    ] {
      #expect(!output.contains(word), "\(word): \(output)")
    }
    // It ends before others when memory runs out.
    #expect(output.contains("no socket") && output.contains("\n500\n"), "\(output)")
    #expect(
      output.hasSuffix(
        "core fd full null ptmx pts random shm stderr stdin stdout tty urandom zero "), "\(output)")
  }

  @Test("a program has none of the keys that the user's session keeps in the kernel")
  func noKeys() async throws {
    // KEYCTL_GET_KEYRING_ID of the session's keyring, which is made where there is none.
    let script = "perl -e 'print syscall(250, 0, -3, 1)'"
    let outside = try await setting.output(of: script) { $0.runtime = .none }
    let inside = try await setting.output(of: script)
    // -1 where the system has no keyrings.
    #expect(!inside.isEmpty && (inside != outside || inside == "-1"), "\(inside) \(outside)")
  }

  @Test("a program can trace and signal nobody outside")
  func noTracing() async throws {
    let own = ownProcess()
    let output = try await setting.output(
      of: """
        perl -e 'print "attached\\n" if syscall(101, 16, \(own), 0, 0) == 0; print "signalled\\n" if kill 0, \(own); print "done\\n"'
        grep NoNewPrivs /proc/self/status | tr -d '\\t'
        """)
    #expect(!output.contains("attached") && !output.contains("signalled"), "\(output)")
    #expect(output.contains("done") && output.contains("NoNewPrivs:1"), "\(output)")
  }

  @Test("without a sandbox a program runs with everything, and that is said each time")
  func none() async throws {
    for count in 1...2 {
      #expect(
        try await setting.output(of: "cat ~/.ssh/id_ed25519") { $0.runtime = .none } == "secret")
      #expect(setting.warnings.withLock { $0.count } == count)
    }
    #expect(setting.warnings.withLock { $0[0] }.contains("without a sandbox"))
  }

  @Test("a program from an environment of its own starts with its interpreter")
  func environment() async throws {
    // An environment like Python's: `bin/python3` is a link out of it, and scripts name it.
    try setting.home.write("home = \(home)/.versions/3/bin\n", to: "venv/pyvenv.cfg")
    try setting.home.write("", to: ".versions/3/lib/module")
    try FileSystem.write(
      try FileSystem.read("/bin/sh", limit: 1 << 24),
      to: {
        try FileSystem.makeFolder(setting.home.file(".versions/3/bin"))
        return setting.home.file(".versions/3/bin/python3")
      }(), mode: 0o755)
    try FileSystem.makeFolder(setting.home.file("venv/bin"))
    #expect(link(to: "\(home)/.versions/3/bin/python3", at: setting.home.file("venv/bin/python3")))
    try FileSystem.write(
      "#!\(home)/venv/bin/python3\necho started; ls \(home) \(home)/venv\n",
      to: setting.home.file("venv/bin/server"), mode: 0o755)
    let child = try await setting.start([setting.home.file("venv/bin/server")])
    var output = ""
    while let piece = try await child.read() { output += String(decoding: piece, as: UTF8.self) }
    _ = await child.wait()
    #expect(
      output.hasPrefix("started\n") && output.contains("pyvenv.cfg") && !output.contains("project"),
      "\(output) \(child.errorTail)")
  }
}

extension String {
  fileprivate func components(_ part: String) -> Int {
    split(separator: part, omittingEmptySubsequences: false).count - 1
  }
  fileprivate var inBash: String { "exec bash -c '\(self)'" }
}
