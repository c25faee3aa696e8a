"""The record types of the library room."""

from fangyuan.library.models.material import Material as Material
from fangyuan.library.models.paper import Agreement as Agreement
from fangyuan.library.models.paper import Document as Document
from fangyuan.library.models.product import Price as Price
from fangyuan.library.models.product import PriceList as PriceList
from fangyuan.library.models.product import Product as Product
