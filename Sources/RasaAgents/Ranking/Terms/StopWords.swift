/// English words that say nothing about a task, and those used to phrase a request.
enum StopWords {
  /// Whether a lowercase word is one. Single letters are, except those that are languages.
  static func contains(_ word: ArraySlice<UInt8>, key: UInt64) -> Bool {
    if word.count == 1, let byte = word.first {
      return byte < 0x80 && byte != UInt8(ascii: "c") && byte != UInt8(ascii: "r")
    }
    return keys.contains(key)
  }

  private static let keys: Set<UInt64> = Set(
    text.split(whereSeparator: \.isWhitespace).map { TermHash.wide($0.utf8) })

  private static let text = """
    a about above after again against ain all also am an and another any anybody anyone anything are
    aren arent around as at away be because been before being below between both but by can cannot
    cant come could couldn couldnt did didn didnt do does doesn doesnt doing don done dont down
    during each either else ever every everyone everything few for from further get gets getting
    give given gives giving go goes going gonna got had hadn hadnt has hasn hasnt have haven havent
    having he hello help helping helps her here hers herself hey hi him himself his how however i
    if im in instead into is isn isnt it its itself ive just kind kindly know let lets like ll lot
    lots made make makes making many may maybe me might mine more most much must mustn my myself
    near need needed needs never no nor not nothing now of off often ok on once one ones only onto
    or other others ought our ours ourselves out over own per please put rather re really same
    several shall shan she should shouldn shouldnt since so some somebody somehow someone something
    sort still such sure take taken takes taking than thank thanks that thats the their theirs them
    themselves then there theres these they thing things this those though through thus to together
    too toward towards try trying two until up upon us use used uses using ve very via want wanted
    wants was wasn wasnt way we well were weren werent what whatever when where whether which while
    who whom whose why will with within without won wont would wouldn wouldnt yes yet you your youre
    yours yourself yourselves
    """
}
