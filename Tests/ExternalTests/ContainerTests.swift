import RasaCore
import RasaPersona
import RasaProcess
import RasaSystem
import RasaTestKit
import RasaTools
import Testing

/// A program in a container, for real: Podman, and an image made of this machine's shell.
@Suite("A sandbox that is a container", .timeLimit(.minutes(3))) struct ContainerTests {
  private let folder = ScratchDirectory()
  private let launcher: SandboxLauncher

  private static let image = "rasa-test:1"
  private static let build = """
    set -eu
    mkdir -p root/bin root/tmp root/proc root/dev root/sys root/etc
    for file in /bin/sh /bin/cat /bin/ls /usr/bin/id $(ldd /bin/sh /bin/cat /bin/ls /usr/bin/id | grep -o '/[^ ]*lib[^ ]*' | tr -d : | sort -u); do
      mkdir -p "root$(dirname "$file")"; cp -L "$file" "root$file"
    done
    tar -C root -cf image.tar .
    exec podman import --quiet image.tar \(image)
    """

  init() async throws {
    // Storage of its own, and the runtime that takes control groups of either version.
    try folder.write(
      "[storage]\ndriver = \"vfs\"\ngraphroot = \"\(folder.file("store"))\"\nrunroot = \"\(folder.file("run"))\"\n",
      to: "storage.conf")
    try folder.write("[engine]\nruntime = \"runc\"\n", to: "containers.conf")
    try folder.write("data", to: "project/data")
    try folder.write("secret", to: "home/secret")
    let environment = Environment([
      "HOME": folder.file("home"), "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
      "XDG_RUNTIME_DIR": folder.file("runtime"), "CONTAINERS_CONF": folder.file("containers.conf"),
      "CONTAINERS_STORAGE_CONF": folder.file("storage.conf"),
    ])
    try FileSystem.makeFolder(folder.file("runtime"))
    let built = try await ProgramRun.run(
      "/bin/sh", ["-c", Self.build], environment: environment.variables, folder: folder.path)
    guard built.exitCode == 0 else {
      throw Failure(.run, "the image cannot be made: \(built.errorText)")
    }
    launcher = SandboxLauncher(
      SandboxSettings(environment, folders: try RasaFolders(environment))
    ) { _ in }
  }

  @Test("it sees what was declared, and nothing else")
  func contents() async throws {
    var sandbox = ToolSandbox()
    sandbox.runtime = .podman(image: Self.image)
    sandbox.write = [folder.file("project")]
    let script = """
      cat; echo " $KEY"; cat \(folder.path)/project/data; echo new >\(folder.path)/project/new
      cat \(folder.path)/home/secret 2>&1; echo x 2>&1 >/x; ls /sys/class/net; exit 3
      """
    let child = try await launcher.start(
      ChildCommand(["/bin/sh", "-c", script], environment: ["KEY": "value"]), in: sandbox)
    try await child.write(Array("input".utf8))
    child.closeInput()
    var bytes: [UInt8] = []
    while let piece = try await child.read() { bytes += piece }
    let output = String(decoding: bytes, as: UTF8.self)
    #expect(await child.wait() == .exited(3), "\(child.errorTail)")
    #expect(output.hasPrefix("input value\ndata"), "\(output)")
    #expect(output.contains("No such file") && !output.contains("secret\n"), "\(output)")
    #expect(
      output.contains("Read-only") || child.errorTail.contains("Read-only"),
      "\(output)\(child.errorTail)")
    #expect(output.hasSuffix("lo\n"), "\(output)")
    #expect(try folder.read("project/new") == "new\n")
  }
}
