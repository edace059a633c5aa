#include "CResources.h"

// The bytes are the compiler's to read (`#embed` is C23): no generated source, no file to look for
// at run time. A new file needs two lines here, an agent in Agents.h; a test compares the lists with
// the folders.
#pragma clang diagnostic ignored "-Wc23-extensions"

#define RASA_FILE(identifier) static const unsigned char identifier[]

RASA_FILE(personas_contract_reviewer) = {
#embed "../../personas/contract_reviewer.yaml"
};
RASA_FILE(personas_feature_workshop) = {
#embed "../../personas/feature_workshop.yaml"
};
RASA_FILE(personas_incident_responder) = {
#embed "../../personas/incident_responder.yaml"
};
RASA_FILE(personas_repository_steward) = {
#embed "../../personas/repository_steward.yaml"
};
RASA_FILE(personas_strategic_stock_analyst) = {
#embed "../../personas/strategic_stock_analyst.yaml"
};
RASA_FILE(personas_strategic_stock_analyst_tools) = {
#embed "../../personas/strategic_stock_analyst_tools.yaml"
};
RASA_FILE(personas_support_triage) = {
#embed "../../personas/support_triage.yaml"
};

RASA_FILE(operators_alt_recommendation_operator) = {
#embed "../../operators/alt_recommendation_operator.yaml"
};
RASA_FILE(operators_compose) = {
#embed "../../operators/compose.yaml"
};
RASA_FILE(operators_critic_agent) = {
#embed "../../operators/critic_agent.yaml"
};
RASA_FILE(operators_explain_operator) = {
#embed "../../operators/explain_operator.yaml"
};
RASA_FILE(operators_heuristic_agent) = {
#embed "../../operators/heuristic_agent.yaml"
};
RASA_FILE(operators_hitl) = {
#embed "../../operators/hitl.yaml"
};
RASA_FILE(operators_loop_decision) = {
#embed "../../operators/loop_decision.yaml"
};
RASA_FILE(operators_preference_agent) = {
#embed "../../operators/preference_agent.yaml"
};
RASA_FILE(operators_quality_review) = {
#embed "../../operators/quality_review.yaml"
};
RASA_FILE(operators_recall) = {
#embed "../../operators/recall.yaml"
};
RASA_FILE(operators_remember) = {
#embed "../../operators/remember.yaml"
};
RASA_FILE(operators_respond) = {
#embed "../../operators/respond.yaml"
};
RASA_FILE(operators_tone_formatter) = {
#embed "../../operators/tone_formatter.yaml"
};

RASA_FILE(models_catalogue) = {
#embed "../../models/catalogue.json"
};
RASA_FILE(models_terms) = {
#embed "../../models/terms.txt"
};
RASA_FILE(models_words) = {
#embed "../../models/words.bin"
};

RASA_FILE(objectives_objectives) = {
#embed "../../objectives/objectives.yaml"
};

#define RASA_ENTRY(name, identifier) {name, identifier, sizeof identifier}

#include "Agents.h"

const struct rasa_resource rasa_resources[] = {
    RASA_ENTRY("personas/contract_reviewer.yaml", personas_contract_reviewer),
    RASA_ENTRY("personas/feature_workshop.yaml", personas_feature_workshop),
    RASA_ENTRY("personas/incident_responder.yaml", personas_incident_responder),
    RASA_ENTRY("personas/repository_steward.yaml", personas_repository_steward),
    RASA_ENTRY("personas/strategic_stock_analyst.yaml", personas_strategic_stock_analyst),
    RASA_ENTRY("personas/strategic_stock_analyst_tools.yaml", personas_strategic_stock_analyst_tools),
    RASA_ENTRY("personas/support_triage.yaml", personas_support_triage),
    RASA_ENTRY("operators/alt_recommendation_operator.yaml", operators_alt_recommendation_operator),
    RASA_ENTRY("operators/compose.yaml", operators_compose),
    RASA_ENTRY("operators/critic_agent.yaml", operators_critic_agent),
    RASA_ENTRY("operators/explain_operator.yaml", operators_explain_operator),
    RASA_ENTRY("operators/heuristic_agent.yaml", operators_heuristic_agent),
    RASA_ENTRY("operators/hitl.yaml", operators_hitl),
    RASA_ENTRY("operators/loop_decision.yaml", operators_loop_decision),
    RASA_ENTRY("operators/preference_agent.yaml", operators_preference_agent),
    RASA_ENTRY("operators/quality_review.yaml", operators_quality_review),
    RASA_ENTRY("operators/recall.yaml", operators_recall),
    RASA_ENTRY("operators/remember.yaml", operators_remember),
    RASA_ENTRY("operators/respond.yaml", operators_respond),
    RASA_ENTRY("operators/tone_formatter.yaml", operators_tone_formatter),
    RASA_ENTRY("models/catalogue.json", models_catalogue),
    RASA_ENTRY("models/terms.txt", models_terms),
    RASA_ENTRY("models/words.bin", models_words),
    RASA_ENTRY("objectives/objectives.yaml", objectives_objectives),
    RASA_AGENT_ENTRIES
    {NULL, NULL, 0},
};
