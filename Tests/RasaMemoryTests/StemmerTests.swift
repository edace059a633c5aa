import RasaLanguage
import Testing

@Suite struct StemmerTests {
  @Test(
    arguments: [
      ("", ""), ("design", "design"), ("designs", "design"), ("designing", "design"),
      ("architecture", "architectur"), ("architectural", "architectur"), ("apis", "api"),
      ("running", "run"), ("flies", "fli"), ("généralement", "généralement"), ("数据", "数据"),
    ])
  func ofEnglishWordsAreThoseOfSnowball(word: String, stem: String) {
    #expect(Stemmer().stem(Array(word.utf8)) == Array(stem.utf8))
  }

  @Test func leavesWhatIsLongerThanAnyWord() {
    let long = [UInt8](repeating: UInt8(ascii: "s"), count: 100_000)
    #expect(Stemmer().stem(long) == long)
  }

  @Test func leavesBytesThatAreNoText() {
    let stemmer = Stemmer()
    for byte in UInt8.min...UInt8.max { _ = stemmer.stem([byte, byte, 0x73]) }
  }
}
