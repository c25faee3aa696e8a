"""Customers, contacts, leads and pools: who could buy, whom we talk to, who may take them up."""

from fangyuan.customers.models.customer import Contact as Contact
from fangyuan.customers.models.customer import Customer as Customer
from fangyuan.customers.models.customer import Degree as Degree
from fangyuan.customers.models.customer import Searched as Searched
from fangyuan.customers.models.customer import owner_of as owner_of
from fangyuan.customers.models.inlet import Arrival as Arrival
from fangyuan.customers.models.inlet import Inlet as Inlet
from fangyuan.customers.models.lead import Lead as Lead
from fangyuan.customers.models.lead import Touch as Touch
from fangyuan.customers.models.pool import Allotment as Allotment
from fangyuan.customers.models.pool import Pool as Pool
