"""Sentences of many languages, for what has to be told from the content alone."""

from __future__ import annotations

import random

SENTENCES: dict[str, list[str]] = {
    "simplified": [
        "会议定于下周三上午九点在三楼会议室举行。",
        "请各部门在月底之前提交年度预算和采购计划。",
        "本产品自购买之日起享受一年免费保修服务。",
        "如果您忘记了密码，请点击登录页面下方的链接。",
        "天气预报说明天有大雨，出门请记得带伞。",
        "他们在山脚下的小村庄里住了整整十年。",
        "合同一式两份，双方各执一份，具有同等法律效力。",
        "这种药每天服用三次，每次两片，饭后用温水送服。",
        "图书馆的开放时间是周一至周五早上八点到晚上十点。",
        "公司去年的销售额比前年增长了百分之十二。",
    ],
    "traditional": [
        "會議將於下週三上午九點在三樓會議室舉行。",
        "請各部門於月底之前提交年度預算與採購計畫。",
        "本產品自購買之日起享有一年免費保固服務。",
        "如果您忘記密碼，請點選登入頁面下方的連結。",
        "氣象預報說明天會下大雨，出門請記得帶傘。",
        "他們在山腳下的小村莊裡住了整整十年。",
        "本合約一式兩份，雙方各執一份，具有同等效力。",
        "這種藥每天服用三次，每次兩顆，飯後以溫水吞服。",
        "圖書館的開放時間是週一至週五早上八點到晚上十點。",
        "公司去年的營業額比前年成長了百分之十二。",
    ],
    "japanese": [
        "会議は来週の水曜日の午前九時から三階の会議室で行います。",
        "各部署は月末までに年度予算と購入計画を提出してください。",
        "本製品はお買い上げの日から一年間、無料で修理いたします。",
        "パスワードを忘れた場合は、ログイン画面の下のリンクを押してください。",
        "天気予報によると明日は大雨なので、傘を忘れないでください。",
        "彼らは山のふもとの小さな村で十年間暮らしました。",
        "契約書は二部作成し、双方が一部ずつ保管するものとする。",
        "この薬は一日三回、食後に二錠ずつ水と一緒に飲みます。",
        "図書館は月曜日から金曜日の午前八時から午後十時まで開いています。",
        "昨年の売上高は前年より十二パーセント増えました。",
    ],
    "korean": [
        "회의는 다음 주 수요일 오전 아홉 시에 삼층 회의실에서 열립니다.",
        "각 부서는 월말까지 연간 예산과 구매 계획을 제출해 주십시오.",
        "이 제품은 구입한 날부터 일 년 동안 무상으로 수리해 드립니다.",
        "비밀번호를 잊으셨다면 로그인 화면 아래의 링크를 눌러 주세요.",
        "일기예보에 따르면 내일은 비가 많이 오니 우산을 챙기세요.",
        "그들은 산기슭의 작은 마을에서 십 년을 살았다.",
        "계약서는 두 부를 작성하여 쌍방이 한 부씩 보관한다.",
        "이 약은 하루 세 번 식후에 두 알씩 물과 함께 드십시오.",
        "도서관은 월요일부터 금요일까지 아침 여덟 시에 문을 엽니다.",
        "작년 매출은 재작년보다 십이 퍼센트 늘었다.",
    ],
    "russian": [
        "Собрание состоится в следующую среду в девять часов утра.",
        "Просим все отделы представить годовой бюджет до конца месяца.",
        "На изделие даётся бесплатная гарантия сроком на один год.",
        "Если вы забыли пароль, нажмите на ссылку внизу страницы.",
        "По прогнозу завтра будет сильный дождь, возьмите с собой зонт.",
        "Они прожили в маленькой деревне у подножия горы десять лет.",
        "Договор составлен в двух экземплярах, по одному для каждой стороны.",
        "Принимайте это лекарство три раза в день после еды.",
        "Библиотека открыта с понедельника по пятницу с восьми утра.",
        "Выручка компании за прошлый год выросла на двенадцать процентов.",
    ],
    "greek": [
        "Η συνεδρίαση θα γίνει την επόμενη Τετάρτη στις εννέα το πρωί.",
        "Παρακαλούμε να υποβάλετε τον προϋπολογισμό μέχρι το τέλος του μήνα.",
        "Το προϊόν έχει δωρεάν εγγύηση ενός έτους από την αγορά.",
        "Αν ξεχάσατε τον κωδικό σας, πατήστε τον σύνδεσμο πιο κάτω.",
        "Αύριο θα βρέξει πολύ, γι' αυτό πάρτε μαζί σας ομπρέλα.",
        "Έζησαν δέκα χρόνια σε ένα μικρό χωριό κάτω από το βουνό.",
        "Η βιβλιοθήκη είναι ανοιχτή από Δευτέρα έως Παρασκευή.",
        "Οι πωλήσεις της εταιρείας αυξήθηκαν κατά δώδεκα τοις εκατό.",
    ],
    "french": [
        "La réunion aura lieu mercredi prochain à neuf heures précises.",
        "Veuillez présenter votre budget à la fin du mois, s'il vous plaît.",
        "Ce produit est garanti un an à compter de la date d'achat.",
        "Si vous avez oublié votre mot de passe, cliquez ici même.",
        "La météo annonce de fortes pluies, n'oubliez pas le parapluie.",
        "Ils ont vécu dix années dans un village isolé près de la forêt.",
        "Le contrat est établi en deux exemplaires signés par les intéressés.",
        "La bibliothèque est fermée le dimanche et les jours fériés.",
    ],
    "german": [
        "Die Sitzung findet am nächsten Mittwoch um neun Uhr früh statt.",
        "Bitte schicken Sie die Pläne für das nächste Jahr bis Monatsende zurück.",
        "Auf das Gerät gewähren wir ein Jahr Garantie; es gehört Ihnen.",
        "Falls Sie Ihr Kennwort vergessen haben, drücken Sie auf den großen Knopf.",
        "Morgen soll es stürmen und regnen, nehmen Sie Schirm und Mütze mit.",
        "Sie lebten zehn Jahre in einem kleinen Dörfchen unter der Höhe.",
        "Die Bücherei ist von Montag bis Freitag geöffnet, außer im März.",
        "Der Umsatz ist im letzten Jahr um zwölf Prozent über Plan gestiegen.",
    ],
    "polish": [
        "Spotkanie odbędzie się w przyszłą środę o dziewiątej rano.",
        "Prosimy wszystkie działy o złożenie rocznego budżetu do końca miesiąca.",
        "Urządzenie jest objęte bezpłatną gwarancją przez jeden rok.",
        "Jeśli zapomniałeś hasła, kliknij łącze na dole tej strony.",
        "Jutro będzie silny deszcz, więc weź ze sobą parasolkę.",
        "Mieszkali dziesięć lat w małej wiosce u stóp góry.",
        "Umowę sporządzono w dwóch jednobrzmiących egzemplarzach.",
        "Sprzedaż spółki wzrosła w zeszłym roku o dwanaście procent.",
    ],
    "czech": [
        "Schůze se bude konat příští středu v devět hodin ráno.",
        "Prosíme všechna oddělení, aby předložila roční rozpočet.",
        "Na výrobek poskytujeme bezplatnou záruku jeden rok.",
        "Pokud jste zapomněli heslo, klikněte na odkaz níže.",
        "Zítra bude silně pršet, vezměte si s sebou deštník.",
        "Žili deset let v malé vesnici pod vysokou horou.",
        "Smlouva je vyhotovena ve dvou stejných opisech.",
        "Tržby společnosti vzrostly loni o dvanáct procent.",
    ],
    "turkish": [
        "Toplantı gelecek çarşamba sabahı saat dokuzda yapılacaktır.",
        "Lütfen yıllık bütçenizi ay sonuna kadar müdürlüğe gönderiniz.",
        "Bu ürün satın alındığı günden başlayarak bir yıl garantilidir.",
        "Şifrenizi unuttuysanız sayfanın altındaki bağlantıya tıklayın.",
        "Yarın çok yağmur yağacağı için şemsiyenizi yanınıza alın.",
        "Dağın eteğindeki küçük bir köyde on yıl yaşadılar.",
        "Sözleşme iki nüsha olarak düzenlenmiş ve imzalanmıştır.",
        "Şirketin satışları geçen yıl yüzde on iki arttı.",
    ],
    "hebrew": [
        "הישיבה תתקיים ביום רביעי הבא בשעה תשע בבוקר.",
        "נא להגיש את התקציב השנתי עד סוף החודש.",
        "למוצר זה אחריות חינם למשך שנה אחת מיום הקנייה.",
        "אם שכחת את הסיסמה לחץ על הקישור בתחתית הדף.",
        "מחר צפוי גשם חזק ולכן כדאי לקחת מטרייה.",
        "הם גרו עשר שנים בכפר קטן לרגלי ההר.",
        "הספרייה פתוחה בימים ראשון עד חמישי.",
    ],
    "arabic": [
        "سيعقد الاجتماع يوم الأربعاء القادم في الساعة التاسعة صباحا.",
        "يرجى تقديم الميزانية السنوية قبل نهاية الشهر.",
        "هذا المنتج مضمون مجانا لمدة سنة من تاريخ الشراء.",
        "إذا نسيت كلمة المرور فاضغط على الرابط في أسفل الصفحة.",
        "من المتوقع هطول أمطار غزيرة غدا فلا تنس المظلة.",
        "عاشوا عشر سنوات في قرية صغيرة تحت الجبل.",
        "المكتبة مفتوحة من الأحد إلى الخميس.",
    ],
    "english": [
        "The meeting will be held next Wednesday at nine in the morning.",
        "Please send the budget for the year by the end of this month.",
        "This product comes with a free warranty of one year.",
        "If you forgot your password, follow the link at the bottom.",
        "They lived for ten years in a small village below the hills.",
    ],
}
LEGACY: list[tuple[str, str]] = [
    ("gb18030", "simplified"),
    ("big5", "traditional"),
    ("cp932", "japanese"),
    ("euc_jp", "japanese"),
    ("cp949", "korean"),
    ("cp1251", "russian"),
    ("koi8-r", "russian"),
    ("cp866", "russian"),
    ("cp1253", "greek"),
    ("cp1252", "french"),
    ("cp1252", "german"),
    ("cp1250", "polish"),
    ("cp1250", "czech"),
    ("cp1254", "turkish"),
    ("cp1255", "hebrew"),
    ("cp1256", "arabic"),
    ("cp500", "english"),
    ("utf-16-le", "simplified"),
    ("utf-16-be", "russian"),
    ("utf-8", "japanese"),
]


def passage(language: str, encoding: str, size: int, chance: random.Random) -> str:
    """Sentences in a random order, cut to about ``size`` bytes in an encoding; never plain ASCII."""
    while True:
        chosen = ""
        while len(chosen.encode(encoding)) < size + 40:
            chosen += chance.choice(SENTENCES[language]) + chance.choice([" ", "\n", "\n\n"])
        start = chance.randint(0, 10)
        text = chosen[start:]
        while len(text.encode(encoding)) > size:
            text = text[: -max(1, (len(text.encode(encoding)) - size) // 4)]
        if not text.isascii() or language == "english":
            return text
