//! The rules by which a message finds its person and its ticket, and the protections around them, each by its name:
//! so that what one of them is worth can be measured by leaving it out.
//!
//! **Invariant:** a rule stands here only where the code that decides asks whether it is in force. A desk leaves none
//! out: `[identity] without` is for measuring.

/// Declares [`Rule`] with the stable name of each and what it says.
macro_rules! rules {
    ($($(#[doc = $says:literal])+ $rule:ident = $name:literal,)+) => {
        /// A rule or a protection.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Rule {
            $($(#[doc = $says])+ $rule,)+
        }

        impl Rule {
            /// All of them: evidence of who is who, its protections, rules of threading, their guards.
            pub const ALL: &[Self] = &[$(Self::$rule),+];

            /// Its name, as `without` takes it.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$rule => $name,)+
                }
            }

            /// What it says, one line.
            pub fn says(self) -> &'static str {
                match self {
                    $(Self::$rule => concat!($($says),+).trim_ascii(),)+
                }
            }
        }
    };
}

rules! {
    // Evidence that joins.

    /// One delivery vouches for several addresses: they are one sender's.
    PlatformVouches = "platform_vouches",
    /// The same secret number and names that agree.
    NumberAndName = "number_and_name",
    /// One names the other's address, and the same secret number is in both.
    NumberAndAddress = "number_and_address",
    /// Each names the other's address.
    MutualNaming = "mutual_naming",
    /// A caller's number was named before the call in a mail that is vouched for.
    CallerNamedBefore = "caller_named_before",
    /// A mail soon after the call says in so many words that it was this number.
    CallerNamedAfter = "caller_named_after",
    /// A number that called before a platform vouched for it is his who had named it, whatever it is used for later.
    CalledBefore = "called_before",
    /// A number that a platform vouches for, and that called after a mail in the same name had given it, is its writer's.
    CalledSince = "called_since",
    /// The caller gave a full name, and the first mail with his number is of that name.
    CallerNamedAlike = "caller_named_alike",
    /// An answer from another address, in the same full name, to what the desk had sent to one person.
    AnswerInName = "answer_in_name",
    /// An answer from the address to which the desk had written proves its sender, whatever became of the signature.
    AnswerProves = "answer_proves",
    /// Whoever comes back to a browser in the same name is who he was.
    BrowserAgain = "browser_again",
    /// What a colleague passes on is of whom it came from.
    StaffForward = "staff_forward",
    /// Numbers that an agent wrote to a customer, or noted of him, count as his.
    DeskNumbers = "desk_numbers",
    /// A note says who it was that called without a number.
    NotedCaller = "noted_caller",

    // Evidence that suggests.

    /// The same number and no name: a suggestion.
    SuggestNumber = "suggest_number",
    /// One states the other's address: a suggestion.
    SuggestAddress = "suggest_address",
    /// The same full name and firm: a suggestion.
    SuggestFirm = "suggest_firm",
    /// The same full name within days: a suggestion.
    SuggestName = "suggest_name",

    // What keeps people apart.

    /// Names that conflict forbid a join by what can be copied.
    NamesConflict = "names_conflict",
    /// A role's mailbox is no person's.
    RoleMailbox = "role_mailbox",
    /// A mailbox that two people sign is nobody's.
    SharedMailbox = "shared_mailbox",
    /// A number by which two people called is nobody's.
    SharedCaller = "shared_caller",
    /// A number that two people give as theirs is nobody's.
    SharedNumber = "shared_number",
    /// A number is his who gave it first if he called by it in his name, whoever gives it later.
    NotedOwner = "noted_owner",
    /// A telephone number that two give as theirs ties neither by it.
    GivenByTwo = "given_by_two",
    /// Half a name that fits two who name the number is neither's.
    HalfName = "half_name",
    /// A name and a number, which can be copied, join no second account of one kind: no other mail address, no other profile.
    SecondAccount = "second_account",
    /// A number that its writer says is none of his proves nothing.
    Disowned = "disowned",
    /// Two numbers of a kind that are one another with two digits swapped, in one message, prove nothing.
    Swapped = "swapped",
    /// What somebody says that he does not use joins nobody to him by what can be copied.
    NotThere = "not_there",
    /// Who called is not the owner of the number that it showed, where an agent notes that.
    NotOwner = "not_owner",
    /// Whoever names another in his own account writes for him, and is not him.
    OwnAccount = "own_account",
    /// Only who is vouched for can make a number nobody's.
    SharedByVouched = "shared_by_vouched",
    /// A sender whom his domain denies is kept apart from whom he names.
    Denied = "denied",
    /// What can be forged carries no join.
    VouchedOnly = "vouched_only",
    /// The first who names a caller's number is him; later ones attach nothing.
    FirstClaim = "first_claim",
    /// A caller's number that people of other names give too joins nobody.
    OtherClaim = "other_claim",
    /// What is typed into a browser joins nobody who had named the number before it.
    TypedFirst = "typed_first",
    /// An answer to the desk in half a name joins nobody.
    AnswerFullName = "answer_full_name",
    /// Whose domain is made to look like the other's is never joined with him.
    ImitatedContact = "imitated_contact",
    /// Whose domain is made to look like the desk's own is not believed.
    ImitatedDesk = "imitated_desk",
    /// A number that many name is a mailing's, and ties nobody.
    Mailing = "mailing",
    /// A contact has so many addresses at most.
    ContactSize = "contact_size",
    /// Whoever guesses numbers has none looked up for a while.
    Guessing = "guessing",
    /// A number that was quiet for long and then is another's has been passed on.
    NumberPassedOn = "number_passed_on",
    /// An account in which somebody names himself otherwise has been handed to him.
    AccountHandedOn = "account_handed_on",
    /// A browser that somebody of another name uses is his from then on.
    BrowserPassedOn = "browser_passed_on",
    /// Of a browser that two people used, whoever comes without a name is neither.
    BrowserUnnamed = "browser_unnamed",
    /// What is said of a number means its owner of that time.
    ClaimInTime = "claim_in_time",
    /// An agent says that two are not one.
    Apart = "apart",

    // Rules of threading.

    /// What is said in a group stays there.
    Group = "group",
    /// An answer to what the desk sent is on its ticket.
    DeskMessage = "desk_message",
    /// An answer to an earlier message is on its ticket.
    Reply = "reply",
    /// One conversation of the vendor's is one ticket.
    Conversation = "conversation",
    /// The mail program says that it is one thread.
    ThreadHint = "thread_hint",
    /// An answer that came before what it answers.
    LateParent = "late_parent",
    /// Two answers to a message that never came.
    SameParent = "same_parent",
    /// A quotation shows what is answered where the headers do not.
    Quoted = "quoted",
    /// A number of the matter.
    Number = "number",
    /// A number that is named soon after a conversation began says which matter it is.
    NumberInTalk = "number_in_talk",
    /// An answer with the subject of one ticket.
    Subject = "subject",
    /// It follows the sender's last message in a chat.
    Session = "session",
    /// The contact's only open ticket.
    OnlyOpen = "only_open",
    /// Of several open ones, the one about the same thing.
    Topic = "topic",
    /// What was mended is back.
    IsBack = "is_back",
    /// The desk's own message goes to the ticket that moved last.
    DeskLatest = "desk_latest",
    /// Tickets of contacts that turned out to be one are one, if they are one matter.
    JoinedContacts = "joined_contacts",
    /// Tickets that a message shows to be one thread are one.
    JoinedThread = "joined_thread",

    // What keeps matters apart.

    /// Only who takes part in a ticket, or is of a participant's firm, writes on it.
    Entitled = "entitled",
    /// A sender who can be forged gets nowhere by a number.
    NumberVouched = "number_vouched",
    /// A colleague who can be forged is none.
    ColleagueVouched = "colleague_vouched",
    /// A colleague's right by a number alone takes his domain's own word, or a firm that is known.
    ColleagueConfirmed = "colleague_confirmed",
    /// Whose domain is made to look like a participant's writes on no ticket of his.
    ImitatedTicket = "imitated_ticket",
    /// What nobody vouches for ties no number to a ticket.
    NumberBelieved = "number_believed",
    /// A closed matter is not opened by what names another.
    ClosedOther = "closed_other",
    /// A matter that was silent for long is as good as closed for who says that his is a new one.
    SilentOther = "silent_other",
    /// Who calls by a telephone by which two have called does not go on its only open matter.
    SharedMatters = "shared_matters",
    /// A closed matter is continued on a new ticket after its window.
    FollowUp = "follow_up",
    /// A mail of its own, with a subject of its own, begins a matter beside the open one.
    BeginsAnew = "begins_anew",
    /// Another number of the same kind is another matter.
    OtherNumber = "other_number",
    /// A mail that answers nothing and has a number of its own is a matter of its own beside a quiet one with others.
    OwnNumber = "own_number",
    /// What is about another thing is another matter.
    OtherTopic = "other_topic",
    /// "This is a new matter" is heeded.
    NewMatter = "new_matter",
    /// A subject that many matters have tells nothing.
    TellingSubject = "telling_subject",
    /// A colleague's subject counts only where the firm is known.
    SubjectFirm = "subject_firm",
    /// A mail or call soon after another is no chat.
    NoSession = "no_session",
    /// One's own matter goes before a colleague's of the same number.
    OwnFirst = "own_first",
    /// Automatic mail opens no ticket.
    AutoOpensNone = "auto_opens_none",
    /// Tickets that name different numbers, or lie far apart, are not joined.
    OneMatter = "one_matter",
}

impl Rule {
    /// The rule of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|rule| rule.as_str() == name)
    }
}

/// The rules in force: all but those left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rules {
    /// A bit for each that is left out.
    without: u128,
}

const _: () = assert!(Rule::ALL.len() <= 128, "a bit for each");

impl Rules {
    /// All but these.
    pub fn without(left_out: impl IntoIterator<Item = Rule>) -> Self {
        Self { without: left_out.into_iter().fold(0, |bits, rule| bits | 1 << rule as u32) }
    }

    /// Whether a rule is in force.
    pub fn heed(self, rule: Rule) -> bool {
        self.without & (1 << rule as u32) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_is_left_out_alone() {
        for rule in Rule::ALL.iter().copied() {
            assert_eq!(Rule::parse(rule.as_str()), Some(rule));
            assert!(!rule.says().is_empty() && rule.says().ends_with('.'), "{rule:?}: {}", rule.says());
            let rules = Rules::without([rule]);
            let left_out: Vec<_> = Rule::ALL.iter().copied().filter(|other| !rules.heed(*other)).collect();
            assert_eq!(left_out, [rule]);
        }
    }
}
