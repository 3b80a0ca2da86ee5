"""Thirty questions over the fixture, each with words that its answer holds, and topics that are not there."""

QUESTIONS = [
    ("Where is the workshop?", "Apeldoorn"),
    ("How soon must a lost badge be reported?", "one hour"),
    ("What does a parking permit for a car cost?", "45 euros"),
    ("Who do I tell about food allergies?", "Marloes Brandt"),
    ("How long was the order service down in March?", "47 minutes"),
    ("What was the root cause of the outage?", "certificate"),
    ("Who was the on-call engineer during the incident?", "Tomasz Wilk"),
    ("How long is the probation period?", "two months"),
    ("When is a laptop replaced?", "4 years"),
    ("How many days do I have to return a bike?", "30 days"),
    ("When are refunds paid?", "ten working days"),
    ("What is the buy-back price for fleet customers?", "40 percent"),
    ("How many vacation days do full-time employees get?", "27"),
    ("When do I need a doctor's note?", "third day"),
    ("How much paid leave does the second parent have?", "six weeks"),
    ("What is the hotel limit in London?", "210 euros"),
    ("Is the train mandatory for short trips?", "700 km"),
    ("When are deployments frozen?", "Friday 15:00"),
    ("How often are secrets rotated?", "60 days"),
    ("How long are API tokens valid?", "fifteen minutes"),
    ("How many requests per minute may a client send?", "120"),
    ("How long does the service remember idempotency keys?", "24 hours"),
    ("How often does a moving bike report its position?", "90 seconds"),
    ("After how long are raw telemetry messages deleted?", "18 months"),
    ("How long is the warranty on batteries?", "two years"),
    ("What does it cost to repair a motor after the warranty?", "420 euros"),
    ("Do you take old bikes away?", "15 euros"),
    ("How heavy is the Minnow Fold? What is its weight?", "15.2"),
    ("What is the lead time for battery cells?", "14"),
    ("Who is the manager of the Hamburg store?", "Anke Petersen"),
    ("At what temperature is the battery room evacuated?", "45 degrees"),
    ("How should damaged battery packs be stored?", "sand"),
    ("What state of charge is right for long storage of a battery?", "60 percent"),
]

ABSENT = [
    "What is the capital of Mongolia?",
    "How do I bake sourdough bread?",
    "Who won the football world cup in 1998?",
    "What is our policy on cryptocurrency trading?",
    "How does photosynthesis work?",
    "Which dinosaurs lived in the Jurassic?",
]

SAFETY_PDF = [
    [
        "Battery safety",
        "Damaged battery packs are stored outdoors in a steel box filled with sand.",
        "Never open a pack. Never cool it with water from a closed room.",
        "Chargers carry the mark of the maker; others are taken out of use.",
    ],
    [
        "Storage",
        "For long storage the state of charge should be 60 percent (at 10 to 15 degrees).",
        "Check the charge every eight weeks and write it into the log.",
    ],
]
