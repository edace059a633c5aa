import RasaLearning
import RasaSQLite

extension Schema {
  /// How runs went, sums over that, and what was decided because of it.
  static let version8 = """
    -- One row for each run that came to an end; it outlives the run. Agent, category, finish, model and the set of
    -- weights are words, as is the user, who is null once forgotten. Status: 0 done, 1 failed, 2 cancelled. Basis: what
    -- the score rests on, 0 nothing, 1 stars, 2 peers, 3 a judge, 4 the failure. Scores are in ten-thousandths,
    -- durations in milliseconds, the day in days since 1970. Nodes: see `NodeUses`.
    CREATE TABLE performance (
      number INTEGER PRIMARY KEY AUTOINCREMENT, run TEXT NOT NULL UNIQUE, agent INTEGER NOT NULL,
      user INTEGER, category INTEGER NOT NULL, complexity INTEGER NOT NULL, status INTEGER NOT NULL,
      finish INTEGER NOT NULL, model INTEGER NOT NULL, is_mock INTEGER NOT NULL, temperature REAL,
      input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, cost INTEGER NOT NULL,
      is_cost_known INTEGER NOT NULL, duration INTEGER NOT NULL, first_token INTEGER,
      day INTEGER NOT NULL, ended_at INTEGER NOT NULL, nodes BLOB NOT NULL,
      accuracy INTEGER, relevance INTEGER, completeness INTEGER, clarity INTEGER, peers INTEGER,
      stars INTEGER, comment TEXT, weights INTEGER NOT NULL,
      overall INTEGER, basis INTEGER NOT NULL, reward INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX performance_of_agent ON performance (agent, number);
    CREATE INDEX performance_of_user ON performance (user) WHERE user IS NOT NULL;

    -- Sums over these. Period: 0 is all time, above it days since 1970, below it months since year 0, negated.
    CREATE TABLE performance_sums (
      period INTEGER NOT NULL, agent INTEGER NOT NULL, category INTEGER NOT NULL,
      model INTEGER NOT NULL, weights INTEGER NOT NULL,
      first_at INTEGER NOT NULL, last_at INTEGER NOT NULL,
      \(PerformanceSums.Column.allCases.map { "\($0.rawValue) INTEGER NOT NULL" }.joined(separator: ", ")),
      PRIMARY KEY (period, agent, category, model, weights)
    ) STRICT, WITHOUT ROWID;

    -- Sums over the uses of nodes, whose names are words. Kind: 0 frame, 1 operator, 2 model, 3 tool.
    CREATE TABLE node_sums (
      period INTEGER NOT NULL, agent INTEGER NOT NULL, kind INTEGER NOT NULL, name INTEGER NOT NULL,
      uses INTEGER NOT NULL, failed INTEGER NOT NULL, duration INTEGER NOT NULL,
      duration_squares INTEGER NOT NULL, tokens INTEGER NOT NULL, cost INTEGER NOT NULL,
      PRIMARY KEY (period, agent, kind, name)
    ) STRICT, WITHOUT ROWID;

    -- What models said of a run's answer. Kind: 0 judge, 1 peer. Names and models are words.
    CREATE TABLE evaluations (
      run TEXT NOT NULL, name INTEGER NOT NULL, kind INTEGER NOT NULL, model INTEGER NOT NULL,
      accuracy INTEGER, relevance INTEGER, completeness INTEGER, clarity INTEGER, score INTEGER,
      feedback TEXT NOT NULL, cost INTEGER NOT NULL, time INTEGER NOT NULL,
      PRIMARY KEY (run, name)
    ) STRICT, WITHOUT ROWID;
    -- Those that are to be made. One that a process has taken is its own until `lease_ends`.
    CREATE TABLE pending_evaluations (
      number INTEGER PRIMARY KEY, run TEXT NOT NULL, name TEXT NOT NULL, asked_at INTEGER NOT NULL,
      attempts INTEGER NOT NULL DEFAULT 0, lease_ends INTEGER, UNIQUE (run, name)
    ) STRICT;

    -- Which agent and model was chosen for a task, with what spoke for each, as JSON. The user is a word. Only
    -- `task` of the JSON has the user's words.
    CREATE TABLE decisions (
      number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, time INTEGER NOT NULL, user INTEGER,
      run TEXT, content TEXT NOT NULL
    ) STRICT;
    CREATE INDEX decisions_of_user ON decisions (user) WHERE user IS NOT NULL;
    CREATE INDEX decisions_of_run ON decisions (run) WHERE run IS NOT NULL;
    """
}
