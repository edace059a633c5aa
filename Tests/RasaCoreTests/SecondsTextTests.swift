import RasaCore
import Testing

@Suite struct SecondsTextTests {
  @Test(arguments: [
    (300, "300"), (299.999691828, "300"), (12.4, "12"), (1.5, "1.5"), (0.256, "0.26"), (0, "0"),
  ])
  func secondsAreShownAsPeopleReadThem(seconds: Double, text: String) {
    #expect(secondsText(seconds) == text)
  }
}
