import RasaCore
import RasaSystem
import RasaTestKit
import Testing

@testable import RasaKit

@Suite("The file of paid vectors")
struct VectorFileTests {
  private static let first: VectorFile.Key = Array(repeating: 1, count: 32)
  private static let second: VectorFile.Key = Array(repeating: 2, count: 32)

  /// As version 1 wrote it: `first` is [1, -0.5], `second` is [0.25, 0.125, 3].
  private static let version1: [UInt8] =
    Array("rasavec1".utf8) + [177, 130, 163, 29, 59, 97, 121, 121]
    + first + [2, 0, 0, 0, 0, 0, 0x80, 0x3F, 0, 0, 0, 0xBF]
    + second + [3, 0, 0, 0, 0, 0, 0x80, 0x3E, 0, 0, 0, 0x3E, 0, 0, 0x40, 0x40]

  private let scratch: ScratchDirectory
  private let file: VectorFile

  init() throws {
    scratch = ScratchDirectory()
    file = VectorFile(path: scratch.file("vectors"))
  }

  @Test func `keeps what was written, and drops nothing that was there`() throws {
    try file.write([Self.first: [1, 2]], using: [Self.first], over: VectorFile.Kept())
    try file.write([Self.second: [3]], using: [Self.second], over: file.read())
    let kept = file.read()
    #expect(kept[Self.first] == [1, 2])
    #expect(kept[Self.second] == [3])
  }

  @Test func `of version 1 is read, and written as the present version with the next vector`()
    throws
  {
    try FileSystem.write(Self.version1, to: file.path)
    let kept = file.read()
    #expect(kept[Self.first] == [1, -0.5])
    #expect(kept[Self.second] == [0.25, 0.125, 3])
    let third: VectorFile.Key = Array(repeating: 3, count: 32)
    try file.write([third: [7]], using: [third], over: kept)
    #expect(try FileSystem.read(file.path, limit: 1000).starts(with: Array("rasavec2".utf8)))
    let again = file.read()
    #expect(again[Self.first] == [1, -0.5])
    #expect(again[Self.second] == [0.25, 0.125, 3])
    #expect(again[third] == [7])
  }

  @Test(arguments: [1, 2])
  func `is not believed where a bit of it is damaged or its end is missing`(version: Int) throws {
    try FileSystem.write(Self.version1, to: file.path)
    if version == 2 { try file.write([:], using: [], over: file.read()) }
    let whole = try FileSystem.read(file.path, limit: 1000)
    #expect(whole.count == Self.version1.count)
    for place in whole.indices {
      var damaged = whole
      damaged[place] ^= 1 << UInt8(place % 8)
      try FileSystem.write(damaged, to: file.path, lasting: false)
      #expect(file.read()[Self.first] == nil, "byte \(place)")
      try FileSystem.write(Array(whole[..<place]), to: file.path, lasting: false)
      #expect(file.read()[Self.first] == nil, "\(place) bytes")
    }
  }
}
