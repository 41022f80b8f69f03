using FhirIomt.Core;

namespace FhirIomt.Validation.Questionnaires;

/// <summary>Findings about forms and their answers: IOMT-0291 to IOMT-0239.</summary>
internal static class QuestionnaireIssues
{
    public static readonly Finding NoForm = new("IOMT-0291", IssueKind.NotFound, IssueSeverity.Warning, "Load the questionnaire, and name it in QuestionnaireResponse.questionnaire.");
    public static readonly Finding UnknownItem = new("IOMT-0292", IssueKind.NotFound, IssueSeverity.Error, "Use the link ids of the questionnaire, nested as it nests them.");
    public static readonly Finding ItemOrder = new("IOMT-0293", IssueKind.Structure, IssueSeverity.Error, "Put the items into the questionnaire's order.");
    public static readonly Finding TooManyItems = new("IOMT-0293", IssueKind.Structure, IssueSeverity.Error, "Put all answers into one item.");
    public static readonly Finding NotEnabled = new("IOMT-0294", IssueKind.BusinessRule, IssueSeverity.Error, "Remove the item, or correct the answer that its enableWhen asks about.");
    public static readonly Finding Unanswered = new("IOMT-0295", IssueKind.Required, IssueSeverity.Error, "Answer it, or leave the response in-progress.");
    public static readonly Finding TooFewAnswers = new("IOMT-0295", IssueKind.Required, IssueSeverity.Error, "Give more answers.");
    public static readonly Finding TooManyAnswers = new("IOMT-0296", IssueKind.Structure, IssueSeverity.Error, "Keep as many answers as the questionnaire allows.");
    public static readonly Finding NoAnswerHere = new("IOMT-0297", IssueKind.Structure, IssueSeverity.Error, "Follow the questionnaire's structure: groups hold items, questions hold answers.");
    public static readonly Finding OtherType = new("IOMT-0298", IssueKind.Value, IssueSeverity.Error, "Answer with a value of the question's type.");
    public static readonly Finding NotAnOption = new("IOMT-0299", IssueKind.CodeInvalid, IssueSeverity.Error, "Choose one of the answers that the questionnaire offers.");
    public static readonly Finding OptionsUnknown = new("IOMT-0299", IssueKind.NotFound, IssueSeverity.Warning, "Load the value set that the questionnaire names.");
    public static readonly Finding OutOfBounds = new("IOMT-0239", IssueKind.Value, IssueSeverity.Error, "Give a value within the questionnaire's limits.");
    public static readonly Finding OtherText = new("IOMT-0293", IssueKind.Structure, IssueSeverity.Warning, "Leave the text out, or repeat the questionnaire's.");
    public static readonly Finding FormRule = new("IOMT-0290", IssueKind.BusinessRule, IssueSeverity.Error, "Ask about a question that is answered before this one is enabled.");
    public static readonly Finding FormOrder = new("IOMT-0290", IssueKind.BusinessRule, IssueSeverity.Warning, "Move the question that is asked about before this one.");
}
