/// Words so common in everyday writing that they say little about a task, however rare they are
/// among agents.
enum CommonWords {
  static func contains(_ stem: TermHash) -> Bool { stems.contains(stem) }

  private static let stems: Set<TermHash> = {
    var reader = Tokenizer()
    reader.read(text)
    return Set(reader.tokens.filter { $0.kind == .word }.map(\.hash))
  }()

  private static let text = """
    able account actually add afternoon ago allow almost alone already although always among answer
    appear april area arrive ask attach august autumn back bad badly base basic beautiful become
    begin behind believe best better big bit bring brother build business busy buy call care case
    cause certain chance change check child choose city class clear clearly close coffee colleague
    come common company complete concern consider contain continue correct cost country couple
    course cover create current customer cut daily dark date daughter day dead deal dear december
    decide deep despite different difficult direct dog drive early easy eat eight eighteen eighty
    eleven end enough entire especially euro evening event exact exactly example exist expect
    explain eye fact fail fair fall family far father february feel fifteen fifty file fill final
    finally find fine finish fire first five fix follow food foot force form forty forward four
    free friday friend front full fun future general glad good great group grow guess guy half hand
    handle happen happy hard hate head hear heart heavy high hold home hope hot hour composition huge
    hundred husband idea important include increase individual inside interest issue item january
    job join july june keep key kid kill kitchen lady land large last late later lead learn leave
    left less level life light like likely line list listen little live local long look lose love
    low luck lunch main major man manage march matter mean meet member mention mess middle million
    mind minute miss moment monday money month morning mother move name national nearly new news
    next nice night nine nineteen ninety nobody none noon normal note notice november number
    october offer office old open opinion orange order paper parent part party pass past pay people
    percent perfect perhaps person phone photo pick piece place play please point poor possible
    power prepare present pretty probably problem proper pull purpose push put question quick quiet
    quite rate reach read ready real realize reason receive recent red remain remember reply
    represent rest result return right road room round rule run sad safe saturday save say scare
    school season second see seem sell send sense separate september serious set seven seventeen
    seventy share short show shut sick side similar simple simply single sister sit situation six
    sixteen sixty size small somebody son soon sound space speak special spend spring stand start
    state stay step stick stop story strange street strong stuck student stuff stupid suddenly
    suggest summer sunday support suppose surely table talk tax teach team tell ten tend term third
    thirteen thirty thought thousand three thursday tight time tiny tired today tomorrow tonight
    top total touch town tree true tuesday turn twelve twenty twice type uncle understand unless
    usual usually view visit wait walk wall watch water wear wednesday week weekend weird white
    whole wife win winter wish woman wonder word work world worry worse worst worth write wrong
    yard year yellow yesterday young
    """
}
