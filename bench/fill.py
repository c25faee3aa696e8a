"""Fill a database of a given size with COPY and set-based SQL, triggers off, in minutes.

A company of 200 reps in 20 teams. Regulations are in force since three months before `NOW`;
customers were learned of over the two years before it, activities lie in the last three months.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import psycopg

from fangyuan.core import text

NOW = datetime(2026, 11, 25, 10, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
SINCE = datetime(2026, 9, 1, tzinfo=ZoneInfo("Asia/Shanghai"))
SIZES = {"S": 10_000, "M": 200_000, "L": 1_000_000}
PER_CUSTOMER = 10
REPS = 200

CHARS = (
    "华盛云达凌川恒砺鼎沅瑞曜沐禾明榆远岑北屿澄昱启岳弘晟朗越青垣泽铭峰昭阳锐景泓宸光竹溪望舒麟渊"
    "博海桐星野荣捷岚丰融维拓信正春夏秋江河湖林木金玉宝龙凤鹏鸿福安平和同德仁义礼智嘉诚兴旺"
)
TRADES = [
    "汽车零部件",
    "半导体",
    "电气",
    "精密机械",
    "装备",
    "食品",
    "包装",
    "医药",
    "新材料",
    "物流",
    "软件",
    "科技",
]
CITIES = [
    "苏州",
    "无锡",
    "杭州",
    "上海",
    "南京",
    "合肥",
    "武汉",
    "深圳",
    "广州",
    "成都",
    "重庆",
    "西安",
]

STAFF = """
INSERT INTO org_team (code, name, kind, parent_id, key, regions, policies, shift, recorded_by)
SELECT 'bench' || n, '销售' || n || '部', 'TEAM', (SELECT id FROM org_team WHERE code = 'company'),
       'bench' || n, '{}', '{}', '', 0 FROM generate_series(1, 20) n;
INSERT INTO org_person (name, login, work_no, password, joined_on, account_state, is_admin, is_on_duty,
       location_consent, phone, email, pinyin, key, recorded_by)
SELECT CASE WHEN n <= 20 THEN '经理' ELSE '代表' END || n, 'b' || n, 'B' || n, %(password)s,
       '2020-01-01', 'ACTIVE', false, true, false, '', '', '', 'b' || n, 0
  FROM generate_series(1, 221) n;
UPDATE org_person SET manager_id = (SELECT id FROM org_person b WHERE b.login = 'b221')
 WHERE login ~ '^b[0-9]+$' AND substr(login, 2)::int <= 20;
UPDATE org_person p SET manager_id = m.id FROM org_person m
 WHERE p.login ~ '^b[0-9]+$' AND substr(p.login, 2)::int BETWEEN 21 AND 220
   AND m.login = 'b' || (1 + (substr(p.login, 2)::int - 21) %% 20);
UPDATE org_team t SET leader_id = p.id FROM org_person p WHERE t.code = 'bench' || substr(p.login, 2)
   AND p.login ~ '^b[0-9]+$';
INSERT INTO org_membership (person_id, team_id, position_id, is_main, kind, starts_on, basis, recorded_by)
SELECT p.id, coalesce(t.id, (SELECT id FROM org_team WHERE code = 'company')),
       CASE WHEN n <= 20 THEN 'position:ka_manager' WHEN n <= 220 THEN 'position:ka_rep'
            ELSE 'position:sales_director' END, true, 'HIRE', '2020-01-01', '', 0
  FROM org_person p CROSS JOIN LATERAL (SELECT substr(p.login, 2)::int AS n) x
  LEFT JOIN org_team t ON t.code = 'bench' || CASE WHEN n <= 20 THEN n
                                                   WHEN n <= 220 THEN 1 + (n - 21) %% 20 END
 WHERE p.login ~ '^b[0-9]+$';
"""

REST = [
    """INSERT INTO customers_contact (customer_id, name, title, phone, email, wechat, roles, concern,
              is_main, level, recorded_at, recorded_by, imported_at)
       SELECT id, '联系人' || id, '采购经理', '199' || lpad((id %% 100000000)::text, 8, '0'), '', '', '{}',
              '', true, 'PUBLIC', recorded_at, 0, %(now)s FROM customers_customer""",
    """INSERT INTO org_holding (subject_type, subject_id, person_id, role, can_write, starts_at, reason,
              from_pool, recorded_at, recorded_by, imported_at)
       SELECT 'customer', c.id, p.id, 'OWNER', true, c.learned_at, '', false, c.recorded_at, 0,
              %(now)s
         FROM customers_customer c JOIN org_person p ON p.login = 'b' || (21 + c.id %% 200)""",
    """INSERT INTO activities_activity (kind, purpose, customer_id, person_id, is_incoming, planned_at,
              appointed_by, started_at, ended_at, situation, feedback, result, need_changes,
              customer_issues, new_needs, next_step, written_at, is_deep, off_site_reason, stage,
              recorded_at, recorded_by, imported_at)
       SELECT CASE WHEN n %% 3 = 0 THEN 'CALL' ELSE 'VISIT' END, 'FOLLOW', c.id, h.person_id, false, at,
              '', at, at + interval '1 hour', '谈了交期', '认可方案', '下周给报价', '', '', '', '',
              at + interval '1 hour' * (2 + (c.id + n) %% 26), n %% 7 = 0, '', 'DONE',
              at + interval '1 hour', 0, %(now)s
         FROM customers_customer c
         JOIN org_holding h ON h.subject_type = 'customer' AND h.subject_id = c.id
        CROSS JOIN generate_series(1, %(each)s) n
        CROSS JOIN LATERAL (SELECT %(since)s::timestamptz + interval '9 hours'
                                 + interval '1 day' * ((c.id * 7 + n * 9) %% 84)
                                 + interval '1 minute' * (c.id %% 400) AS at) x""",
    """INSERT INTO forms_response (form_id, subject_type, subject_id, person_id, submitted_at, period,
              answers, verdict, covers, basis, advice, recorded_at, recorded_by, imported_at)
       SELECT f.id, 'customer', c.id, h.person_id, at, '', '{}', 'SAME', f.covers, '', '', at, 0, %(now)s
         FROM customers_customer c
         JOIN org_holding h ON h.subject_type = 'customer' AND h.subject_id = c.id
         JOIN forms_form f ON f.code = 'REVIEW'
        CROSS JOIN generate_series(0, 2) n
        CROSS JOIN LATERAL (SELECT %(since)s::timestamptz + interval '1 month' * n
                                 + interval '1 hour' * ((c.id * 11 + n) %% 500) AS at) x
        WHERE (c.id + n) %% 10 < 8 AND at < %(now)s""",
    """INSERT INTO desk_change (subject_type, subject_id, kind, occurred_at, known_proof, before, after,
              updated_at, reported_by_id, recorded_at, recorded_by, imported_at)
       SELECT 'customer', c.id, CASE WHEN c.id %% 2 = 0 THEN 'CONTACT' ELSE 'NEED' END, at, '', '', '',
              at + interval '1 hour' * (c.id %% 40), h.person_id, at + interval '1 hour' * (c.id %% 30), 0,
              %(now)s
         FROM customers_customer c
         JOIN org_holding h ON h.subject_type = 'customer' AND h.subject_id = c.id
        CROSS JOIN LATERAL (SELECT %(since)s::timestamptz + interval '1 hour' * (c.id %% 1900) AS at) x
        WHERE c.id %% 10 = 0""",
]


def names(number: int) -> Iterator[str]:
    """So many different company names."""
    chars = sorted(set(CHARS))
    pairs = itertools.product(chars, chars)
    made = (
        f"{city}{first}{second}{trade}有限公司"
        for (first, second), trade, city in itertools.product(pairs, TRADES, CITIES)
    )
    return itertools.islice(made, number)


def customers(number: int, seed: int = 7) -> Iterator[tuple[object, ...]]:
    """Customer rows; two in a hundred are key accounts."""
    luck = Random(seed)
    names_made = list(names(number))
    luck.shuffle(names_made)
    for place, name in enumerate(names_made):
        share = place % 1000
        tier = "TIER1" if share < 2 else "TIER2" if share < 8 else "TIER3" if share < 20 else None
        grade = "A" if share < 30 else "B" if share < 130 else "C" if share < 430 else "D"
        learned = NOW - timedelta(hours=luck.randint(48, 17000))
        yield (
            f"k{place}",
            name,
            text.normalise(name),
            text.grams(name),
            text.company_pinyin(name).key,
            "苏州市星湖街 1 号",
            learned,
            learned + timedelta(hours=luck.randint(1, 30)),
            grade,
            "评分",
            tier is not None,
            tier,
            "规模" if tier else "",
            NOW,
        )


ADOPTED = """
INSERT INTO core_tracked (subject_type, subject_id, fact, value, starts_at, recorded_by)
SELECT 'team', t.id, 'policies', (SELECT jsonb_agg(DISTINCT code)::text FROM engine_policy), %s, 0
  FROM org_team t WHERE t.code = 'company'
UNION ALL
SELECT 'team', t.id, 'policies', '["none"]', '2010-01-01', 0 FROM org_team t WHERE t.code = 'company'"""
COPY = """COPY customers_customer (key, name, name_key, grams, pinyin, address, learned_at, recorded_at,
  grade, grade_basis, is_ka, ka_tier, ka_basis, imported_at, kind, uscc, is_partner, source_id,
  business_scope, position, rivals_note, product_need, service_needs, special_need, buying_plan, org_chart,
  buying_process, buying_habits, credit_basis, growth_note, forecast_need, strategy, level, recorded_by)
  FROM STDIN"""
SAME: tuple[object, ...] = (
    "ORG",
    "",
    False,
    "source:REFERRAL",
    "",
    "",
    "",
    "",
    [],
    "",
    "",
    "",
    "",
    "",
    "",
    "",
    "",
    "",
    "PUBLIC",
    0,
)


SECONDARY = """
SELECT format('DROP INDEX %%I', i.relname), pg_get_indexdef(i.oid)
  FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
 WHERE NOT x.indisunique AND t.relname = ANY (%s)
   AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.oid)"""
BIG = [
    *("customers_customer", "customers_contact", "org_holding", "activities_activity"),
    *("forms_response", "desk_change"),
]
# Columns that must be given and are not named here are left blank, as the models would.
BLANK = """
SELECT format('ALTER TABLE %%I ALTER %%I SET DEFAULT %%L', table_name, column_name,
              CASE data_type WHEN 'ARRAY' THEN '{}' WHEN 'jsonb' THEN '{}' WHEN 'boolean' THEN 'false'
                             WHEN 'text' THEN '' WHEN 'character varying' THEN '' ELSE '0' END),
       format('ALTER TABLE %%I ALTER %%I DROP DEFAULT', table_name, column_name)
  FROM information_schema.columns
 WHERE table_schema = 'public' AND table_name = ANY (%s) AND is_nullable = 'NO'
   AND column_default IS NULL AND is_identity = 'NO' AND data_type NOT LIKE 'timestamp%%'
   AND data_type <> 'date'"""


def fill(url: str, size: str, password: str) -> None:
    """Fill an empty, prepared database; `url` is the bootstrap role's."""
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        # An index made at the end costs a fraction of one kept up row by row.
        indexes = cursor.execute(SECONDARY, [BIG]).fetchall()
        blanks = cursor.execute(
            BLANK, [[*BIG, "org_person", "org_team", "org_membership"]]
        ).fetchall()
        for beginning, _ in (*indexes, *blanks):
            cursor.execute(beginning)
        cursor.execute(ADOPTED, [SINCE])
        for statement in STAFF.split(";\n")[:-1]:
            cursor.execute(statement, {"password": password})
        with cursor.copy(COPY) as target:
            for row in customers(SIZES[size]):
                target.write_row((*row, *SAME))
        for statement in REST:
            cursor.execute(statement, {"now": NOW, "since": SINCE, "each": PER_CUSTOMER})
        for _, ending in (*indexes, *blanks):
            cursor.execute(ending)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM (ANALYZE)")
