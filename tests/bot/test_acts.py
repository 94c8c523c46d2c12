"""Does the trained model tell acts from questions? None of these sentences stands in the training data."""

from __future__ import annotations

import pytest
import yaml

from tests.bot.conftest import ROOT
from tests.bot.fake_search import FakeSearch, faq
from tests.bot.talk import Bot

QUESTIONS = """
where has my package got to
the tracking number you sent shows nothing
i ordered two lamps but only one came
can you deliver to a parking garage
do you ship to norway and what does it cost
the box was wet and the book inside is ruined
how many days do i have to change my mind
i sent the shoes back two weeks ago and still have no money
is there a fee if i return only part of the order
my voucher was refused at the checkout
can i use two discount codes at once
the shop in my town said to ask you about the repair
do the trousers run large or small
will the green kettle come back
what is the difference between the mini and the max
i paid by card and now see the amount twice
how do i get a receipt for my employer
i would like to pay with my phone in the store
can i change the name on the booking
is it possible to get an earlier delivery slot
the courier left it with somebody i do not know
how do i say that a neighbour should get the parcel
hi, the invoice is wrong
hello, do you still have the old model
good morning, how do i get a replacement key
hey, my code never came
thanks but where do i click
thank you, one more thing: how do i pay
ok, and what if the parcel is lost
yes i restarted it and the light is still red
no, i meant the other contract
sure but what will that cost me
it does not work since the update last night
that did not work because there is no such menu on my phone
i can't see the button for the refund in the app
i cannot get into my account since i have a new phone
i don't have the card that the page asks for
there is no reset button on my thermostat
why was i logged out everywhere
the confirmation mail goes to my old address
how can i have two profiles in one account
please remove my phone number from your records
i want to leave the service at the end of the month
my father died, how do i end his contract
is my plan renewed by itself
what happens to my photos when i stop paying
can i put my subscription on hold in summer
how do students get the cheaper plan
which card do you take
i want to send money to my sister in kenya
the machine swallowed my card
my salary has not arrived yet
how do i stop a standing order
what is the daily limit at a cash machine
someone used my card in another country
how do i see my pin again
can my daughter have an account
how do i get a letter for the tax office
does my policy pay for a broken window
the wifi in the attic is too weak
why does the video stop every few minutes
my speaker does not find the network
the camera shows a grey picture at night
how do i give the guest network another password
what does the blinking blue light mean
restart of the hub takes forever
how do i reset the counter on the printer
the screen of my tablet stays dark
my headset works only on one side
which cable do i need for the second monitor
the lock does not open from outside
the app says that the device is offline
what do i do when the pump hums but does not turn
how often must the filter be changed
does the lamp work with other brands
how do i start the self cleaning programme again
the robot goes round in circles
the heating comes on at night though i set it otherwise
is there a manual in french
how do i move everything to a new computer
the file is too big to upload
who can see what i write in the forum
how do i report a bad comment
is there a person at the reception on sundays
can a human being survive in this tent at minus twenty
is the bot in the game allowed to trade
are your robots made for wet grass
how do i help my grandmother install it
can you help me with the form for the refund
i need help setting up my new router
i have a question about the guarantee of the drill
what time does the support line close
is breakfast in the price
can we bring our dog
my train was cancelled and the hotel wants money
when do i get the result of the blood test
is the cream safe for babies
how do i enrol my son
do i get a certificate at the end
what are the steps to start a return over again after it was refused
"""

ACTS = {
    "greet": ["hello there folks", "hey hey", "good evening to you", "hi there bot"],
    "thank": ["thanks very much indeed", "thank you for helping me out", "many thanks for that"],
    "bye": ["bye bye then", "see you tomorrow", "goodbye and have a nice week"],
    "are_you_a_bot": ["are you a human being or a bot", "is this a machine i am talking to", "you are just a robot, right?"],
    "help": ["could you please help me", "what are you able to help with", "i need a little help"],
    "affirm": ["yes that's it", "yes, now it works", "yep, solved", "that fixed the problem"],
    "deny": ["no it still doesn't work", "nope, same problem", "that did not help me at all", "no, none of those"],
    "request_person": [
        "please let me talk to a human",
        "can i chat with a real person",
        "i want to speak with someone from your team",
        "give me an agent",
    ],
    "start_again": ["let's start all over", "please restart this conversation", "can we start from the beginning"],
}


def heard(bot: Bot, text: str) -> str:
    """The intent of one message, said at the beginning of a conversation."""
    bot.state, bot.owner = {}, "bot"
    return str(bot.hears(text)["intent"]["name"])


def test_real_questions_are_hardly_ever_mistaken_for_an_act(bot: Bot, search: FakeSearch) -> None:
    """At most 2 of 100."""
    search.answers(faq())
    questions = QUESTIONS.strip().splitlines()
    assert len(questions) == 100
    mistaken = {text: intent for text in questions if (intent := heard(bot, text)) != "question"}
    assert len(mistaken) <= 2, mistaken


@pytest.mark.parametrize("act", ACTS)
def test_acts_are_heard(bot: Bot, search: FakeSearch, act: str) -> None:
    """Also in words that were not learned, and where search has nothing to say to them."""
    missed = {text: intent for text in ACTS[act] if (intent := heard(bot, text)) != act}
    assert not missed


@pytest.mark.parametrize("act", ["are_you_a_bot", "help", "start_again"])
def test_an_act_that_is_surely_heard_is_not_searched(bot: Bot, search: FakeSearch, act: str) -> None:
    """At least two of three are."""
    search.answers(faq())
    assert sum(heard(bot, text) == act for text in ACTS[act]) * 3 >= len(ACTS[act]) * 2


@pytest.mark.parametrize("text", ["i need help with the app", "is this an original", "what do you offer", "i want to restart my plan"])
def test_what_sounds_like_an_act_is_a_question_where_an_article_answers(bot: Bot, search: FakeSearch, text: str) -> None:
    """Customers of another business, whose articles the dialogue model knows nothing of."""
    assert heard(bot, text) != "question", "no longer between the two: choose another example"
    assert bot.last["outcome"] == "small_talk"
    search.answers(faq())
    assert heard(bot, text) == "question"
    assert bot.last["outcome"] == "answered"


def test_none_of_these_was_learned() -> None:
    """Else the figures would say nothing."""
    learned = set()
    for path in (ROOT / "bot" / "data" / "nlu").glob("*.yml"):
        for intent in yaml.safe_load(path.read_text(encoding="utf-8"))["nlu"]:
            learned |= {line.removeprefix("- ").casefold() for line in intent["examples"].splitlines()}
    assert not learned & {*QUESTIONS.strip().splitlines(), *(text for texts in ACTS.values() for text in texts)}
